// `npm run bench`: starts the backend, then every proxy in turn on the same core, measures, prints and saves.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBackend } from './backend.ts'
import { applyLoad, loads } from './loads.ts'
import { busyShare, describeMachine, planCpus } from './machine.ts'
import { parseOptions, usage } from './options.ts'
import { killAll, killAllOnExit, stop } from './processes.ts'
import { profile } from './profile.ts'
import { formatText, save } from './report.ts'
import type { Sample } from './results.ts'
import { type Rival, rivals } from './rivals.ts'
import type { Conditions, Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import { type Stage, type Started, startAll, startRival, stopAll } from './stage.ts'

const say = (line: string) => process.stderr.write(`${line}\n`)

/** A failure of one proxy is remarked on and does not end the run. */
async function attempt<T>(stage: Stage, what: string, run: () => Promise<T>): Promise<T | null> {
  try {
    return await run()
  } catch (error) {
    const { message } = error as Error
    // The first line goes into the report; what follows may be a log with paths.
    stage.remarks.push(`${what}: ${message.split('\n')[0]}`)
    say(`  FAILED ${what}: ${message}`)
    return null
  }
}

/** Measures all proxies of a scenario, round by round: A B C A B C … */
async function runScenario(stage: Stage, scenario: Scenario, all: readonly Rival[]): Promise<Sample[]> {
  const peers = all.filter((rival) => rival.fronts.includes(scenario.front))
  const conditions = await conditionsFor(stage, scenario)
  const kept = new Map<Rival, Started[]>()
  const samples: Sample[] = []
  const rounds = Math.min(stage.options.rounds, scenario.maxRounds ?? Number.POSITIVE_INFINITY)
  for (let round = 1; round <= rounds; round++) {
    for (const rival of peers) {
      if (round > 1 && !scenario.fresh && !kept.has(rival)) continue
      const values = await attempt(stage, `${scenario.name}, ${rival.name}, round ${round}`, async () => {
        const instances = kept.get(rival) ?? (await startAll(stage, rival, scenario))
        kept.set(rival, instances)
        return scenario.measure(instances, conditions)
      })
      if (values !== null) {
        samples.push({ scenario: scenario.name, rival: rival.name, round, values })
        const shown = scenario.metrics.map((m) => `${m.title} ${(values[m.key] ?? Number.NaN).toFixed(m.digits)}`)
        say(`  ${scenario.name} ${round}/${rounds} ${rival.name}: ${shown.join(', ')}`)
      }
      if (scenario.fresh || values === null) {
        await stopAll(kept.get(rival) ?? [])
        kept.delete(rival)
      }
    }
  }
  for (const instances of kept.values()) await stopAll(instances)
  return samples
}

async function conditionsFor(stage: Stage, scenario: Scenario): Promise<Conditions> {
  const { cpus, backend, directory, options } = stage
  const { seconds, warmUpSeconds, soakSeconds, idleConnections } = options
  const nginxMaxRate = scenario.needsNginxRate ? await measureNginxRate(stage) : 0
  return { cpus, backend, directory, seconds, warmUpSeconds, soakSeconds, idleConnections, nginxMaxRate }
}

/** Requests per second of nginx on one core in the scenario `small`. */
async function measureNginxRate(stage: Stage): Promise<number> {
  const nginx = rivals.find((rival) => rival.name === 'nginx')!
  const small = scenarios.find((scenario) => scenario.name === 'small')!
  const instance = await startRival(stage, nginx, small, { workers: 1 })
  try {
    const load = await applyLoad(instance, loads.small, stage.cpus, Math.max(2, stage.options.seconds))
    const rate = load.requests / load.seconds
    stage.remarks.push(`half-load offers ${Math.round(rate / 2)} requests per second`)
    return rate
  } finally {
    await stop(instance.running)
  }
}

/** The proxies that are there, with their versions; the others get a line that says why not. */
function available(stage: Stage, versions: Record<string, string>): Rival[] {
  return rivals.filter((rival) => {
    if (!stage.options.only.includes(rival.name)) return false
    try {
      versions[rival.name] = rival.version()
      return true
    } catch (error) {
      stage.remarks.push(`${rival.name} skipped: ${(error as Error).message}`)
      say(`${rival.name} skipped: ${(error as Error).message}`)
      return false
    }
  })
}

async function compare(stage: Stage): Promise<number> {
  const versions: Record<string, string> = {}
  const peers = available(stage, versions)
  const results: Sample[] = []
  for (const scenario of scenarios.filter((s) => stage.options.scenario.includes(s.name))) {
    say(`${scenario.name}: ${scenario.title}`)
    results.push(...((await attempt(stage, scenario.name, () => runScenario(stage, scenario, peers))) ?? []))
  }
  const { name, rounds, seconds } = stage.options
  const date = new Date().toISOString().slice(0, 10)
  const run = { date, name, machine: describeMachine(), versions, rounds, seconds, results, remarks: stage.remarks }
  process.stdout.write(`\n${formatText(run)}`)
  if (stage.options.save && results.length > 0) say(`\nsaved: bench/results/${save(run)}.md and .json`)
  return results.length > 0 ? 0 : 1
}

/** A machine that is busy before anything is started gives numbers to look at, not to publish. */
async function remarkOnNoise(): Promise<string[]> {
  const share = await busyShare(1000)
  if (share < 0.05) return []
  const remark = `the machine was ${Math.round(share * 100)} % busy with other work at the start: expect noise`
  say(remark)
  return [remark]
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options === null) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const cpus = planCpus()
  const remarks = await remarkOnNoise()
  const directory = mkdtempSync(join(tmpdir(), 'frontdesk-bench-'))
  const memoryDirectory = existsSync('/dev/shm') ? mkdtempSync('/dev/shm/frontdesk-bench-') : directory
  process.on('exit', () => {
    for (const folder of [directory, memoryDirectory]) rmSync(folder, { recursive: true, force: true })
  })
  killAllOnExit()
  const backend = await startBackend(directory, cpus.load)
  const stage: Stage = { directory, memoryDirectory, backend, cpus, options, remarks }
  return options.profile === null ? compare(stage) : profile(stage, options.profile)
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    killAll()
    say(`bench: ${error.message}`)
    process.exit(1)
  },
)
