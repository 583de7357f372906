// What a request passes on its way through a route, in the order in which it does, and where it would be answered.
import { errors } from '../../core/errors.ts'
import type {
  CorsSpec,
  ForwardAuthSpec,
  HeaderEditsSpec,
  KeySpec,
  MirrorSpec,
  RateLimitSpec,
  RouteSpec,
  TemplateSpec,
} from '../../core/route-spec.ts'
import { fieldValue } from '../../http/http1/grammar.ts'
import type { RequestHead } from '../../http/http1/request-head.ts'
import { templateText } from '../../routing/route-words.ts'
import { compileCidrs } from '../../util/cidr.ts'
import { isSecretField, redactedText } from '../../util/secret-names.ts'
import { formatDuration } from '../format-duration.ts'

/** The answer that a client would get without any backend. */
export interface OwnAnswerView {
  readonly status: number
  readonly why: string
}

export interface Passage {
  readonly steps: readonly string[]
  /** Null = it goes on. */
  readonly answer: OwnAnswerView | null
}

interface Gate {
  readonly words: string
  /** Null = it lets the request pass, or nobody can know now. */
  readonly answer: OwnAnswerView | null
}

export interface PassageInput {
  /** Null for the implicit one. */
  readonly route: RouteSpec | null
  readonly head: RequestHead
  readonly address: string
  /** 0 = none. */
  readonly bodySize: number
}

/** Up to the place where the route itself answers, or a backend is chosen. */
export function passageOf(input: PassageInput): Passage {
  const steps: string[] = []
  for (const gate of gatesOf(input)) {
    steps.push(gate.words)
    if (gate.answer !== null) return { steps, answer: gate.answer }
  }
  return { steps, answer: null }
}

function* gatesOf({ route, head, address, bodySize }: PassageInput): Generator<Gate> {
  if (bodySize !== 0) yield sizeGate(head, bodySize)
  if (route === null) return
  if (route.allow.length + route.deny.length > 0) yield networkGate(route, address)
  if (route.cors !== null) yield corsGate(route.cors, head)
  for (const limit of route.rateLimits) yield pass(rateWords(limit))
  if (route.concurrency !== null) {
    const { max, key } = route.concurrency
    yield pass(`at most ${max} requests at once for ${keyWords(key)}: counted when the request comes`)
  }
  if (route.basicAuth !== null) yield passwordGate(head)
  if (route.forwardAuth !== null) yield pass(authWords(route.forwardAuth))
  for (const { ref } of route.use) {
    const name = ref.name.startsWith('@') ? 'middleware of the configuration' : `middleware ${ref.name}`
    yield pass(`${name}: plug-in code, which may answer or change the request`)
  }
}

const pass = (words: string): Gate => ({ words, answer: null })

function sizeGate(head: RequestHead, bodySize: number): Gate {
  const words = `a body of at most ${bodySize} bytes`
  if (head.fields.contentLength <= bodySize) return pass(words)
  return { words, answer: { status: errors.body_too_large.status, why: 'the body is too large' } }
}

function networkGate({ allow, deny }: RouteSpec, address: string): Gate {
  const isDenied = compileCidrs(deny)(address)
  const isMissing = allow.length > 0 && !compileCidrs(allow)(address)
  if (!isDenied && !isMissing) return pass(`client ${address} is allowed`)
  const why = isDenied ? `client ${address} is in "deny"` : `client ${address} is not in "allow"`
  return { words: why, answer: { status: errors.forbidden.status, why } }
}

function corsGate({ origins }: CorsSpec, head: RequestHead): Gate {
  const has = (name: string): boolean => fieldValue(head.fields.lookup, name) !== ''
  const isPreflight = head.method === 'OPTIONS' && has('origin') && has('access-control-request-method')
  if (!isPreflight) return pass(`CORS: pages of ${origins.join(', ')} may read the answer`)
  return { words: 'CORS: a preflight', answer: { status: 204, why: 'the route answers preflights itself' } }
}

function rateWords({ name, key, count, periodMs, burst }: RateLimitSpec): string {
  const rate = `${count} in ${formatDuration(periodMs)} for ${keyWords(key)}, ${burst} at once`
  return `rate limit ${name}: ${rate}; counted when the request comes`
}

function keyWords(key: KeySpec): string {
  if ('name' in key) return `each value of the ${key.by} ${key.name}`
  return key.by === 'ip' ? 'each client address' : 'all together'
}

function passwordGate(head: RequestHead): Gate {
  const hasOne = /^basic /i.test(fieldValue(head.fields.lookup, 'authorization'))
  if (hasOne) return pass('the user name and the password are checked when the request comes')
  const why = 'there is no user name and password'
  return { words: 'a user name and a password are needed', answer: { status: errors.unauthorized.status, why } }
}

const authWords = ({ url }: ForwardAuthSpec): string => `${withoutQuery(url)} is asked, and may answer in our place`
const withoutQuery = (url: string): string => url.replace(/\?.*/, '')

/** What is changed of the message, and where copies go: behind the choice of a pool. */
export function changeWords(route: RouteSpec, hostHeader: string): string[] {
  return [
    ...(hostHeader === 'preserve' ? [] : [hostWords(hostHeader)]),
    ...editWords('request', route.requestHeaders),
    ...editWords('response', route.responseHeaders),
    ...(route.mirror === null ? [] : [mirrorWords(route.mirror)]),
  ]
}

export const hostWords = (hostHeader: string): string =>
  hostHeader === 'backend' ? 'Host becomes the name of the backend' : `Host becomes ${hostHeader}`

const shown = (name: string, value: TemplateSpec): string => (isSecretField(name) ? redactedText : templateText(value))

function editWords(what: 'request' | 'response', edits: HeaderEditsSpec | null): string[] {
  if (edits === null) return []
  return [
    ...edits.remove.map((name) => `${what} header ${name} is removed`),
    ...edits.set.map(({ name, value }) => `${what} header ${name} is set to "${shown(name, value)}"`),
    ...edits.add.map(({ name, value }) => `${what} header ${name} is added: "${shown(name, value)}"`),
  ]
}

function mirrorWords({ pool, share }: MirrorSpec): string {
  const often = share === 1 ? 'a copy goes' : `of ${Math.round(share * 1000) / 10} % of the requests a copy goes`
  return `${often} to pool ${pool}, whose answer nobody waits for`
}
