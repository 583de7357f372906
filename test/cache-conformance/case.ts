// What a case of the cache suite is: what the origin says, what clients ask and when, and what must be seen.
// The words below make the tables in cases/ short enough to be read as sentences.

/**
 * One answer of the origin. Templates `{now+60}` (when it is sent) and `{start-60}` (begin of the case) become
 * HTTP dates, `{path}` the path of the case.
 */
export interface Answer {
  readonly status: number
  /** `Name: value`. `Date` and `Content-Type` are added unless they stand here; `!Date` = without one. */
  readonly fields: readonly string[]
  /** null = a mark that tells the answers of a case apart. */
  readonly body: string | null
  readonly framing: 'length' | 'chunked' | 'close'
  readonly trailers: readonly string[]
  /** Status and fields of an interim answer that goes before it. */
  readonly interim: readonly string[]
  /** `lost`: the connection is closed in its place. `cut`: closed after half of the body. */
  readonly fault: 'lost' | 'cut' | null
  /** A 304 that is sent though nobody has asked for it. */
  readonly isAnyway?: true
}

/** Where an answer came from, as the origin can tell: it was asked, asked with a condition, or not asked. */
export type Source = 'origin' | 'validation' | 'store' | 'proxy'

/** What may be said of a step beside where its answer comes from. */
export interface StepDetails {
  /** So many seconds after the step before. */
  readonly after?: number
  readonly method?: string
  /** Added to the path of the case, such as `?a=1` or `/b`. */
  readonly path?: string
  /** The path whose answer the client must see, where it is not that of the step. */
  readonly of?: string
  readonly host?: string
  /** `Name: value`, with templates. */
  readonly asks?: readonly string[]
  /** Body of the request. */
  readonly body?: string
  /** So many clients at once. */
  readonly clients?: number
  /** From here on the origin cannot be reached. */
  readonly down?: true
  /** The origin is asked besides, while the client has its answer already. */
  readonly background?: true
  /** How many requests of the step reach the origin, where that is not what its source says. */
  readonly asked?: number
  /** Default: that of the answer. */
  readonly status?: number | readonly number[]
  /** `Name: value` that the client must see; `Name: ~regular expression`; with templates. */
  readonly has?: readonly string[]
  /** Names that the client must not see. */
  readonly lacks?: readonly string[]
  /** The Age field in seconds. */
  readonly age?: number
  /** Parameters of our member of Cache-Status: `hit`, `ttl=5`; `!hit` = must not be there. */
  readonly cacheStatus?: readonly string[]
  /** First and last byte of the answer's body that the client must see. */
  readonly part?: readonly [number, number]
  /** `Name: value` that the origin must have seen. */
  readonly sent?: readonly string[]
  /** Names that the origin must not have seen. */
  readonly unsent?: readonly string[]
  /** The method that the origin must have seen; default that of the step. */
  readonly sentMethod?: string
  /** The message does not come to its end. */
  readonly broken?: true
}

export interface Step extends StepDetails {
  readonly source: Source
  /** Which answer of the origin to this path the client must see, from 1; 0 = none of them; -1 = one of its own. */
  readonly from: number
}

export interface Case {
  readonly id: string
  /** In words what is looked at. */
  readonly name: string
  /** Keys of its route, as in a configuration file; default `"cache": true`. */
  readonly route?: Readonly<Record<string, unknown>>
  /** To the path of the case: the first request gets the first; the last is given again and again. */
  readonly origin: readonly Answer[]
  /** The same for other paths of the case. */
  readonly others?: Readonly<Record<string, readonly Answer[]>>
  readonly steps: readonly Step[]
  /** The RFC leaves it open: what Frontdesk does, and why. */
  readonly choice?: string
}

/** One sentence of a specification and the cases that test it. */
export interface Rule {
  /** `RFC 9111 §3`. */
  readonly section: string
  /** Word for word; only line breaks are not those of the RFC. */
  readonly text: string
  readonly cases: readonly Case[]
}

/** The rules of one file of cases. */
export interface Section {
  readonly name: string
  readonly title: string
  readonly rules: readonly Rule[]
}

export const section = (name: string, title: string, rules: readonly Rule[]): Section => ({ name, title, rules })

export const rule = (of: string, text: string, cases: readonly Case[]): Rule => ({ section: `RFC ${of}`, text, cases })

/** An answer with this status. */
export const says = (status: number, ...fields: readonly string[]): Answer => ({
  status,
  fields,
  body: null,
  framing: 'length',
  trailers: [],
  interim: [],
  fault: null,
})

/** 200. */
export const ok = (...fields: readonly string[]): Answer => says(200, ...fields)

/** 200, fresh for a minute. */
export const fresh = (...fields: readonly string[]): Answer => ok('Cache-Control: max-age=60', ...fields)

/** 200 that is stale already, by its Age. */
export const stale = (...fields: readonly string[]): Answer => ok('Cache-Control: max-age=60', 'Age: 100', ...fields)

/** 304. Where the request has no condition the origin sends the last complete answer in its place. */
export const unchanged = (...fields: readonly string[]): Answer => says(304, ...fields)

/** No answer: the connection is closed. */
export const lost: Answer = { ...says(500), fault: 'lost' }

export const withBody = (answer: Answer, body: string): Answer => ({ ...answer, body })

const step = (source: Source, from: number, details: StepDetails): Step => ({ ...details, source, from })

/** So many clients at once, and the origin is asked for each of them: nobody sees what another has got. */
export const fetchedEach = (clients: number, details: StepDetails = {}): Step =>
  step('origin', -1, { ...details, clients, asked: clients })

/** The origin is asked; the client sees its answer number `from`. */
export const fetched = (from: number, details: StepDetails = {}): Step => step('origin', from, details)

/** The origin is not asked; the client sees the answer number `from` of before. */
export const stored = (from: number, details: StepDetails = {}): Step => step('store', from, details)

/** The origin is asked with a condition and says 304; the client sees the answer number `from` of before. */
export const validated = (from: number, details: StepDetails = {}): Step => step('validation', from, details)

/** The origin is asked, but what it says is an error: the client sees the answer number `from` of before. */
export const rescued = (from: number, details: StepDetails = {}): Step => step('origin', from, details)

/** The origin is asked, and its answer number `from` breaks off, at the client too. */
export const broken = (from: number, details: StepDetails = {}): Step =>
  step('origin', from, { ...details, broken: true })

/** The origin is not asked, and the client gets an answer that is none of its. */
export const refused = (status: number | readonly number[], details: StepDetails = {}): Step =>
  step('proxy', 0, { ...details, status })

/** The origin is asked in vain, and the client gets an answer that is none of its. */
export const failed = (details: StepDetails = {}): Step =>
  step('origin', 0, { status: [500, 502, 503, 504], ...details })

/** Answer 1 is asked for twice and comes from the origin once. */
export const reused = (details: StepDetails = {}): readonly Step[] => [fetched(1), stored(1, details)]

/** Asked for twice, and both times the origin is asked. */
export const notReused = (details: StepDetails = {}): readonly Step[] => [fetched(1), fetched(2, details)]
