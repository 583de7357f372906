// Proxies with a backend each, so that cases can run side by side without seeing one another's bytes.
import { type Answer, AnsweringBackend, type Arrived, drip, echoTarget } from '../support/answering-backend.ts'
import { fieldValue, type Message } from '../support/http-message.ts'
import { startProxy } from '../support/proxy.ts'
import { type Outcome, RawClient, type Reply } from '../support/raw-client.ts'

/** How long a case may leave the client without an answer or a close. The proxy's own deadlines are far shorter. */
export const HANG_MS = 10_000

/** How the bytes of a case are written. */
export type Delivery = 'at once' | 'byte by byte'

/** Longer cases are not sent byte by byte. */
export const MAX_DRIP = 600

/** What is between clients and the backend of a lane. */
export interface LaneProxy {
  readonly port: number
  close(): Promise<void>
}

export class Lane {
  readonly proxy: LaneProxy
  readonly backend: AnsweringBackend
  /** What the backend answers to targets that begin with /case. */
  answer: Answer | null = null
  #probes = 0

  constructor(proxy: LaneProxy, backend: AnsweringBackend) {
    this.proxy = proxy
    this.backend = backend
  }

  /** @param limits `header_timeout` and `idle_timeout` of the proxy: how soon it gives up on a message that does not go on */
  static start(limits = { header_timeout: '2s', idle_timeout: '2s' }): Promise<Lane> {
    const timeouts = { connect: '2s', first_byte: '2s', idle: '2s' }
    return Lane.before((url) => startProxy([url], { pool: { timeouts }, limits }))
  }

  /** A lane with another proxy, made for the URL of its backend. */
  static async before(startBefore: (url: string) => Promise<LaneProxy>): Promise<Lane> {
    const backend = await AnsweringBackend.start((request: Message) => {
      return lane.answer !== null && request.startLine.includes(' /case') ? lane.answer : echoTarget(request)
    })
    const lane = new Lane(await startBefore(backend.url), backend)
    return lane
  }

  /** A target nobody else uses: the right answer to it is itself. */
  probeTarget(): string {
    return `/probe-${this.#probes++}`
  }

  /** A plain request on a new connection must get exactly its own answer. Returns what is wrong, or null. */
  async checkNewConnection(): Promise<string | null> {
    const target = this.probeTarget()
    const client = await RawClient.open(this.proxy.port)
    try {
      const outcome = await client.write(plainRequest(target)).read('GET', HANG_MS)
      const own = outcome.kind === 'reply' && isOwn(outcome.reply, target) && client.unread.length === 0
      return own ? null : `a plain request on a new connection got ${describe(outcome)}`
    } finally {
      await client.close()
    }
  }

  async close(): Promise<void> {
    await this.proxy.close()
    await this.backend.close()
  }
}

/** Lends lanes to cases that run side by side. */
export class Lanes {
  readonly #free: Lane[]
  readonly #all: readonly Lane[]
  readonly #waiting: ((lane: Lane) => void)[] = []

  constructor(lanes: readonly Lane[]) {
    this.#all = lanes
    this.#free = [...lanes]
  }

  static async start(count: number, lane = () => Lane.start()): Promise<Lanes> {
    return new Lanes(await Promise.all(Array.from({ length: count }, lane)))
  }

  /** Runs `body` with a lane of its own. */
  async with<T>(body: (lane: Lane) => Promise<T>): Promise<T> {
    const lane = this.#free.pop() ?? (await new Promise<Lane>((resolve) => this.#waiting.push(resolve)))
    try {
      return await body(lane)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free.push(lane)
      else next(lane)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((lane) => lane.close()))
  }
}

/** What happened to one case on its connection. */
export interface Exchange {
  /** Final answers before that to the probe. */
  readonly replies: readonly Reply[]
  /** All bytes the client got before the answer to the probe, latin1. */
  readonly raw: string
  /** How reading ended; a reply here is the answer to the probe. */
  readonly last: Outcome
  /** The probe was sent and got exactly its own answer, was sent in vain, or the connection was not to be used any more. */
  readonly probe: 'own' | 'lost' | 'none'
  readonly arrived: Arrived
}

/** Sends the bytes, reads the answers, then sends a probe on the same connection if it may still be used. */
export async function exchange(lane: Lane, bytes: string, method: string, delivery: Delivery): Promise<Exchange> {
  const client = await RawClient.open(lane.proxy.port)
  try {
    if (delivery === 'at once') client.write(bytes)
    else await drip(client.socket, bytes)
    return await follow(lane, client, method)
  } finally {
    await client.close()
  }
}

async function follow(lane: Lane, client: RawClient, method: string): Promise<Exchange> {
  const target = lane.probeTarget()
  const replies: Reply[] = []
  let raw = ''
  let probed = false
  for (;;) {
    const last = await client.read(replies.length === 0 ? method : 'GET', HANG_MS)
    const end = (probe: Exchange['probe']): Exchange => {
      const { requests, incomplete, malformed } = lane.backend.take()
      const own = requests.filter(({ startLine }) => !startLine.includes(' /probe-'))
      return { replies, raw, last, probe, arrived: { requests: own, incomplete, malformed } }
    }
    if (last.kind === 'reply' && probed && isOwn(last.reply, target)) return end('own')
    if (last.kind === 'reply') {
      replies.push(last.reply)
      raw = client.received.toString('latin1', 0, client.received.length - client.unread.length)
    } else raw = client.received.toString('latin1')
    if (last.kind !== 'reply') return end(probed ? 'lost' : 'none')
    if (announcesClose(last.reply)) {
      await client.ended(HANG_MS)
      return end(probed ? 'lost' : 'none')
    }
    if (!probed) client.write(plainRequest(target))
    probed = true
  }
}

/** The connection must not be used after this answer (RFC 9112 §9.3). */
export function announcesClose(reply: Reply): boolean {
  const connection = fieldValue(reply, 'connection')?.toLowerCase() ?? ''
  if (connection.includes('close') || reply.framing === 'close') return true
  return reply.startLine.startsWith('HTTP/1.0') && !connection.includes('keep-alive')
}

export function plainRequest(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: t.example\r\n\r\n`
}

/** The answer of the echoing backend to this target, and nothing else. */
export function isOwn(reply: Reply, target: string): boolean {
  return reply.status === 200 && reply.body.toString('latin1') === target
}

/** One line for a failure message. */
export function describe(outcome: Outcome): string {
  if (outcome.kind === 'reply') {
    return `${JSON.stringify(outcome.reply.startLine)} with ${JSON.stringify(outcome.reply.body.toString('latin1', 0, 120))}`
  }
  const bytes = JSON.stringify(outcome.bytes.toString('latin1', 0, 200))
  if (outcome.kind === 'closed') return `a connection closed (${outcome.how}) after ${bytes}`
  if (outcome.kind === 'malformed') return `a malformed answer (${outcome.why}): ${bytes}`
  return `neither an answer nor a close after ${bytes}`
}
