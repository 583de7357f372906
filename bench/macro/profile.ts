// Where Frontdesk's CPU time goes under one of the named loads: V8's sampling profiler (JavaScript, by function) or perf
// (everything, Node's C++ and the kernel too).
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { checkAnswer } from './check-answer.ts'
import { applyLoad, type Load, type LoadName, loads } from './loads.ts'
import { type Running, runToEnd, start, stop, waitForPort } from './processes.ts'
import { frontdeskCommand } from './rivals.ts'
import { newJob, type Stage } from './stage.ts'

const topLines = 40

interface CpuProfile {
  readonly nodes: readonly { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
  readonly startTime: number
}

/** A profiled Frontdesk under load, and the time of the measured part (microseconds of the monotonic clock). */
interface Loaded {
  readonly running: Running
  readonly port: number
}

/** Profiles each chosen scenario and prints its top lines; returns the exit code. */
export async function profile(stage: Stage, tool: 'cpu-prof' | 'perf'): Promise<number> {
  for (const name of stage.options.scenario) {
    const load = loads[name as LoadName]
    process.stdout.write(`\n${name}: self time by ${tool}, ${stage.options.seconds} s after the warm-up\n`)
    process.stdout.write(tool === 'perf' ? await byPerf(stage, load) : await byCpuProf(stage, load))
  }
  return 0
}

async function byCpuProf(stage: Stage, load: Load): Promise<string> {
  const folder = join(stage.directory, `profiles-${process.hrtime.bigint()}`)
  mkdirSync(folder)
  const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=200']
  const { running, port } = await startFrontdesk(stage, load, flags)
  const fromUs = nowUs()
  const result = await applyLoad({ port, pid: running.pid }, load, stage.cpus, stage.options.seconds)
  const toUs = nowUs()
  await stop(running, 15_000) // Each thread writes its profile when it ends.
  const files = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'))
  if (files.length === 0) throw new Error('no profile was written: Frontdesk did not end by itself')
  const threads = files.map((file) => {
    const text = readFileSync(join(folder, file), 'utf8')
    return selfTimes(JSON.parse(text) as CpuProfile, fromUs, toUs)
  })
  // The busiest thread is the worker; the others (main thread) have next to nothing to show.
  const busiest = threads.sort((a, b) => busyUs(b) - busyUs(a))[0]!
  return formatSelfTimes(busiest, result.requests)
}

async function byPerf(stage: Stage, load: Load): Promise<string> {
  const { running, port } = await startFrontdesk(stage, load, [
    '--perf-basic-prof',
    '--interpreted-frames-native-stack',
  ])
  const data = join(stage.directory, 'perf.data')
  const symbols = `/tmp/perf-${running.pid}.map`
  try {
    const { seconds } = stage.options
    const target = ['-p', String(running.pid), '-o', data]
    const recording = runToEnd(
      ['perf', 'record', '-q', '-F', '997', ...target, '--', 'sleep', String(seconds)],
      stage.cpus.load,
      (seconds + 30) * 1000,
    )
    await applyLoad({ port, pid: running.pid }, load, stage.cpus, seconds)
    const recorded = await recording
    if (recorded.code !== 0) throw new Error(`perf record failed (linux-perf, perf_event_paranoid): ${recorded.stderr}`)
    const options = ['--stdio', '-q', '--no-children', '--sort', 'symbol', '--percent-limit', '0.4']
    const report = await runToEnd(['perf', 'report', ...options, '-i', data], stage.cpus.load, 60_000)
    return withoutFolders(
      report.stdout
        .split('\n')
        .filter((line) => line.trim() !== '')
        .slice(0, topLines)
        .join('\n'),
    )
  } finally {
    await stop(running)
    if (existsSync(symbols)) rmSync(symbols)
  }
}

async function startFrontdesk(stage: Stage, load: Load, nodeFlags: readonly string[]): Promise<Loaded> {
  const spec = load.cacheMiB === undefined ? { workers: 1 } : { workers: 1, cacheMiB: load.cacheMiB }
  const job = await newJob(stage, 'frontdesk', load.front, load.path, spec)
  const command = frontdeskCommand(job, nodeFlags)
  const running = start({ command, cpus: stage.cpus.proxy, logPath: join(job.directory, 'log'), cwd: job.directory })
  await waitForPort(running, job.port)
  await checkAnswer(job, stage.backend.port, load.path)
  await applyLoad({ port: job.port, pid: running.pid }, load, stage.cpus, 2)
  return { running, port: job.port }
}

/** V8's profiles count in the same clock. */
function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n)
}

/** Self time in microseconds of each function between two moments, inlined copies and call sites taken together. */
function selfTimes(profiled: CpuProfile, fromUs: number, toUs: number): Map<string, number> {
  const names = new Map(profiled.nodes.map(({ id, callFrame }) => [id, frameName(callFrame)]))
  const times = new Map<string, number>()
  let atUs = profiled.startTime
  profiled.samples.forEach((id, index) => {
    const deltaUs = profiled.timeDeltas[index] ?? 0
    atUs += deltaUs
    if (atUs < fromUs || atUs > toUs) return
    const name = names.get(id) ?? '?'
    times.set(name, (times.get(name) ?? 0) + deltaUs)
  })
  return times
}

function frameName(frame: CpuProfile['nodes'][number]['callFrame']): string {
  const name = frame.functionName === '' ? '(anonymous)' : frame.functionName
  if (frame.url === '') return name
  const file = /(?:\/((?:src|dist|node_modules)\/.*)|(node:.*))$/.exec(frame.url)
  return `${name}  ${file?.[1] ?? file?.[2] ?? basename(frame.url)}:${frame.lineNumber + 1}`
}

function busyUs(times: ReadonlyMap<string, number>): number {
  let total = 0
  for (const [name, us] of times) if (name !== '(idle)') total += us
  return total
}

function formatSelfTimes(times: ReadonlyMap<string, number>, requests: number): string {
  const total = busyUs(times)
  const rows = [...times]
    .filter(([name]) => name !== '(idle)')
    .sort((a, b) => b[1] - a[1])
    .slice(0, topLines)
  const lines = rows.map(([name, us]) => {
    return `${((100 * us) / total).toFixed(1).padStart(6)} %  ${(us / requests).toFixed(2).padStart(7)}  ${name}`
  })
  return `    self   µs/req  function\n${lines.join('\n')}\n`
}

/** perf names compiled functions with the file's whole path. */
function withoutFolders(text: string): string {
  const lines = text.replaceAll(/(\s+-)*\s*$/gm, '') // empty columns
  return `${lines.replaceAll(/file:\/\/\S*?\/((?:src|dist|node_modules)\/)/g, '$1')}\n`
}
