// Plays a case against a cache and says what is not as the case says. Knows nothing of Frontdesk: any HTTP cache in front of
// the scripted origin will do.
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { type Field, fieldValues } from '../support/http-message.ts'
import { type Outcome, RawClient, type Reply } from '../support/raw-client.ts'
import { until } from '../support/wait.ts'
import type { Answer, Case, Step } from './case.ts'
import { dated, isConditional, mark, type Origin, type Seen } from './origin.ts'

/** A cache under test. */
export interface Target {
  readonly port: number
  /** The origin behind the route of this case. */
  originOf(one: Case): Origin
  /** Where its paths begin, such as `/r0`. */
  prefixOf(one: Case): string
  /** Its clock, if a test can move it. */
  readonly clock: { now(): number; move(ms: number): void } | null
  /** Resolves when nothing is under way at the origin's side. */
  settle(): Promise<void>
}

/** One client's view of one step. */
export interface Observed {
  readonly step: Step
  readonly outcome: Outcome
  /** What reached the origin during the step. */
  readonly seen: readonly Seen[]
}

const HOST = 'conformance.example'

/** Whether a case can be played without moving a clock or stopping the origin. */
export const needsNoClock = ({ steps }: Case): boolean => steps.every(({ after, down }) => !after && !down)

/** One case at one target. */
export class Play {
  readonly #target: Target
  readonly #case: Case
  readonly #origin: Origin
  readonly #path: string
  readonly #connections: 'kept' | 'new'
  #startMs = 0

  /** `connections` new: each step on one of its own, which may come to another worker. */
  constructor(target: Target, one: Case, connections: 'kept' | 'new' = 'kept') {
    this.#connections = connections
    this.#target = target
    this.#case = one
    this.#origin = target.originOf(one)
    this.#path = `${target.prefixOf(one)}/${one.id}`
  }

  /** Plays it to the end and returns what is wrong, in words; [] = nothing. */
  async run(): Promise<string[]> {
    const observed = await this.observe()
    return [
      ...observed.flatMap((each) => this.#complaints(each).map((words) => `step ${this.#numberOf(each)}: ${words}`)),
      ...this.#shared(observed),
    ]
  }

  /** Answers that two clients have got which should each have had one of their own. */
  #shared(observed: readonly Observed[]): string[] {
    return this.#case.steps
      .filter(({ from }) => from === -1)
      .flatMap((step) => {
        const numbers = observed.filter((one) => one.step === step).map(({ outcome }) => numberIn(outcome))
        return new Set(numbers).size === numbers.length ? [] : [`answers ${numbers.join(', ')}: not each its own`]
      })
  }

  /** Plays it to the end. */
  async observe(): Promise<readonly Observed[]> {
    this.#begin()
    const clients: RawClient[] = []
    const observed: Observed[] = []
    try {
      for (const step of this.#case.steps) {
        if (step.after) this.#target.clock?.move(step.after * 1000)
        if (step.down) await this.#origin.down()
        await this.#connect(clients, step.clients ?? 1)
        observed.push(...(await this.#step(step, clients.slice(0, step.clients ?? 1))))
      }
    } finally {
      for (const one of clients) await one.close()
      await this.#origin.up()
    }
    return observed
  }

  /** As many connections as the step needs, all of them open. */
  async #connect(clients: RawClient[], count: number): Promise<void> {
    const kept = clients.filter(({ ending }) => ending === null && this.#connections === 'kept')
    for (const one of clients) if (!kept.includes(one)) await one.close()
    while (kept.length < count) kept.push(await RawClient.open(this.#target.port))
    clients.splice(0, clients.length, ...kept)
  }

  /** The clock begins at a whole second, so that ages come out exactly. */
  #begin(): void {
    const { clock } = this.#target
    if (clock !== null) {
      this.#origin.now = clock.now
      clock.move(1000 - (clock.now() % 1000))
    }
    this.#startMs = this.#origin.now()
    const all = { path: this.#path, startMs: this.#startMs }
    for (const path of this.#paths()) this.#origin.script(this.#path + path, { ...all, answers: this.#answers(path) })
  }

  async #step(step: Step, clients: readonly RawClient[]): Promise<Observed[]> {
    const method = step.method ?? 'GET'
    const before = this.#seen().length
    const request = this.#request(step, method)
    for (const client of clients) client.write(request)
    const outcomes = await Promise.all(clients.map((client) => client.read(method)))
    if (step.background) await until('the origin is asked in the background', () => this.#seen().length > before)
    await this.#target.settle()
    const seen = this.#seen().slice(before)
    return outcomes.map((outcome) => ({ step, outcome, seen }))
  }

  #request(step: Step, method: string): string {
    const lines = [`Host: ${step.host ?? HOST}`, ...(step.asks ?? [])]
    if (step.body !== undefined) lines.push(`Content-Length: ${step.body.length}`)
    const head = `${method} ${this.#path}${step.path ?? ''} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${step.body ?? ''}`
    return this.#expand(head)
  }

  #expand(text: string): string {
    return dated(text, this.#times()).replaceAll('{path}', this.#path)
  }

  #times(): { now: number; start: number } {
    return { now: this.#origin.now(), start: this.#startMs }
  }

  #paths(): string[] {
    return [...new Set(this.#case.steps.map(({ path }) => path ?? ''))]
  }

  #answers(path: string): readonly Answer[] {
    return this.#case.others?.[path] ?? this.#case.origin
  }

  #seen(): Seen[] {
    return this.#paths().flatMap((path) => this.#origin.seen(this.#path + path))
  }

  #numberOf({ step }: Observed): number {
    return this.#case.steps.indexOf(step) + 1
  }

  /** What is wrong with where the answer came from, its status and its body: what any cache can be asked for. */
  core({ step, outcome, seen }: Observed): string[] {
    const words: string[] = []
    const wanted = this.wanted(step)
    if (seen.length !== wanted) words.push(`the origin was asked ${times(seen.length)}, not ${times(wanted)}`)
    else if (step.source === 'validation' && !isConditional(seen[0]!.fields))
      words.push('it was asked without a condition')
    return [...words, ...this.#content(step, outcome)]
  }

  /** How many requests of a step reach the origin. */
  wanted({ asked, source, background }: Step): number {
    const isAsked = source === 'origin' || source === 'validation' || background === true
    return asked ?? Number(isAsked)
  }

  #content(step: Step, outcome: Outcome): string[] {
    if (step.broken) return outcome.kind === 'closed' ? [] : [`the answer was not broken off: ${outcome.kind}`]
    if (outcome.kind !== 'reply') return [`no answer: ${outcome.kind}`]
    const { reply } = outcome
    const number = numberIn(outcome)
    const from = step.from === -1 ? Number(number ?? 0) : step.from
    const answer = from === 0 ? null : this.#answer(step, from)
    const statuses = [step.status ?? answer?.status ?? []].flat()
    if (!statuses.includes(reply.status)) return [`status ${reply.status}, not ${statuses.join(' or ')}`]
    if (answer === null) return number === undefined ? [] : [`answer ${number} of the origin`]
    const words: string[] = []
    if (number !== undefined && number !== `${from}`) words.push(`answer ${number}, not ${from}`)
    const body = this.#body({ ...step, from }, answer, reply.status)
    const got = decoded(reply, answer)
    // What stands in an error of the cache's own is its own affair.
    if (got !== body && reply.status !== 416)
      words.push(`body ${JSON.stringify(got.slice(0, 80))}, not ${JSON.stringify(body.slice(0, 80))}`)
    return words
  }

  #answer({ of, path }: Step, from: number): Answer {
    const answers = this.#answers(of ?? path ?? '')
    return answers[Math.min(from, answers.length) - 1]!
  }

  #body(step: Step, answer: Answer, status: number): string {
    if (step.method === 'HEAD' || status === 304 || status === 204) return ''
    const body = answer.body ?? mark(this.#path + (step.of ?? step.path ?? ''), step.from)
    return step.part === undefined ? body : body.slice(step.part[0], step.part[1] + 1)
  }

  #complaints(observed: Observed): string[] {
    const { step, outcome, seen } = observed
    const words = this.core(observed)
    const { fields: sent = [], method = '' } = seen.at(-1) ?? {}
    words.push(...this.#missing(step.sent ?? [], sent).map((line) => `the origin did not see ${line}`))
    words.push(...present(step.unsent ?? [], sent).map((line) => `the origin saw ${line}`))
    if (step.sentMethod !== undefined && method !== step.sentMethod) words.push(`the origin saw ${method}`)
    if (outcome.kind !== 'reply') return words
    const { fields } = outcome.reply
    words.push(...this.#missing(step.has ?? [], fields).map((line) => `the client did not see ${line}`))
    words.push(...present(step.lacks ?? [], fields).map((line) => `the client saw ${line}`))
    const age = fieldValues(outcome.reply, 'age').join(', ')
    if (step.age !== undefined && age !== `${step.age}`) words.push(`Age ${age || 'missing'}, not ${step.age}`)
    return [...words, ...cacheStatus(step.cacheStatus ?? [], outcome.reply)]
  }

  #missing(wanted: readonly string[], fields: readonly Field[]): string[] {
    return wanted
      .map((line) => this.#expand(line))
      .filter((line) => {
        const colon = line.indexOf(': ')
        const value = line.slice(colon + 2)
        const got = valuesOf(fields, line.slice(0, colon)).join(', ')
        return value.startsWith('~') ? !new RegExp(value.slice(1), 's').test(got) : got !== value
      })
      .map((line) => `${line} (but ${JSON.stringify(valuesOf(fields, line.slice(0, line.indexOf(':'))).join(', '))})`)
  }
}

const valuesOf = (fields: readonly Field[], name: string): string[] =>
  fieldValues({ startLine: '', fields }, name.toLowerCase())

function present(names: readonly string[], fields: readonly Field[]): string[] {
  return names.flatMap((name) => valuesOf(fields, name).map((value) => `${name}: ${value}`))
}

const numberIn = (outcome: Outcome): string | undefined =>
  outcome.kind === 'reply' ? fieldValues(outcome.reply, 'x-answer')[0] : undefined

/** Of the last member of the list, ours (RFC 9211 §2). */
function cacheStatus(wanted: readonly string[], reply: Reply): string[] {
  if (wanted.length === 0) return []
  const field = fieldValues(reply, 'cache-status').join(', ')
  const [name = '', ...parameters] = (/(?:[^,"]|"[^"]*")*$/.exec(field)?.[0] ?? '')
    .split(';')
    .map((part) => part.trim())
  const words = name === 'frontdesk' ? [] : [`no Cache-Status of ours in ${JSON.stringify(field)}`]
  const wrong = wanted.filter((one) =>
    one.startsWith('!')
      ? parameters.some((parameter) => parameter.split('=')[0] === one.slice(1))
      : !parameters.some((parameter) =>
          one.startsWith('~') ? new RegExp(`^${one.slice(1)}$`).test(parameter) : parameter === one,
        ),
  )
  return [...words, ...wrong.map((one) => `Cache-Status without ${one}: ${field}`)]
}

/** The body as the origin wrote it, where the cache has compressed it. */
function decoded(reply: Reply, answer: Answer): string {
  const coding = fieldValues(reply, 'content-encoding')[0]
  const own = answer.fields.some((line) => line.toLowerCase().startsWith('content-encoding:'))
  const decode = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync }[own ? '' : (coding ?? '')]
  try {
    return (decode !== undefined && reply.body.length > 0 ? decode(reply.body) : reply.body).toString('latin1')
  } catch {
    return `no ${coding}`
  }
}

const times = (count: number): string => (count === 0 ? 'not at all' : count === 1 ? 'once' : `${count} times`)
