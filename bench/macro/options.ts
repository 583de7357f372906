// The benchmark's command line.
import { parseArgs } from 'node:util'
import { loads } from './loads.ts'
import { rivals } from './rivals.ts'
import { scenarios } from './scenarios.ts'

export interface BenchOptions {
  /** Names of the proxies and scenarios to run, in the order of the tables. */
  readonly only: readonly string[]
  readonly scenario: readonly string[]
  readonly rounds: number
  readonly seconds: number
  /** Before the first measurement of a process: compiled code has to get hot. */
  readonly warmUpSeconds: number
  readonly soakSeconds: number
  readonly idleConnections: number
  /** Ends up in the result's file name. */
  readonly name: string
  readonly save: boolean
  readonly profile: 'cpu-prof' | 'perf' | null
}

export const usage = `npm run bench -- [options]
  --only frontdesk,nginx        these proxies    (${rivals.map((r) => r.name).join(', ')})
  --scenario small,1m           these scenarios  (${scenarios.map((s) => s.name).join(', ')})
  --rounds 3                    measurements of each proxy, in turn; the median counts
  --seconds 4                   length of one measurement
  --quick                       one short round of everything, to see that it works; not saved unless --name is given
  --name NAME                   result file: bench/results/<date>-NAME.md and .json
  --no-save                     print only
  --profile                     no comparison: where Frontdesk's CPU time goes in the scenario (node --cpu-prof)
  --perf                        the same with "perf record", which also sees Node itself and the kernel`

/** Throws an Error with one sentence for the user. `--help` gives null. */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      scenario: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      name: { type: 'string' },
      'no-save': { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      perf: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return null
  const profile = values.perf ? 'perf' : values.profile ? 'cpu-prof' : null
  const known = profile === null ? scenarios.map((s) => s.name) : Object.keys(loads)
  const scenario = choose('--scenario', values.scenario ?? (profile === null ? undefined : 'small'), known)
  const partial = values.only !== undefined || values.scenario !== undefined
  const name = values.name ?? (partial ? [...scenario, ...(values.only?.split(',') ?? [])].join('-') : 'macro')
  return {
    only: choose(
      '--only',
      values.only ??
        rivals
          .filter((r) => r.byNameOnly !== true)
          .map((r) => r.name)
          .join(),
      rivals.map((r) => r.name),
    ),
    scenario,
    rounds: count('--rounds', values.rounds, values.quick ? 1 : 3),
    seconds: count('--seconds', values.seconds, values.quick ? 1 : 4),
    warmUpSeconds: values.quick ? 1 : 4,
    soakSeconds: values.quick ? 4 : 60,
    idleConnections: values.quick ? 1000 : 5000,
    name: name.replaceAll(/[^\w-]+/g, '-').slice(0, 80),
    save: !values['no-save'] && (!values.quick || values.name !== undefined),
    profile,
  }
}

function choose(option: string, text: string | undefined, known: readonly string[]): readonly string[] {
  if (text === undefined) return known
  const wanted = text.split(',')
  const strange = wanted.find((name) => !known.includes(name))
  if (strange !== undefined) throw new Error(`${option}: "${strange}" is none of ${known.join(', ')}`)
  return known.filter((name) => wanted.includes(name))
}

/** wrk takes whole seconds. */
function count(option: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`${option}: "${text}" is not a whole number above 0`)
  return value
}
