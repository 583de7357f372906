// What a request asks the demo backend to do: by query (?delay=200ms&status=503&size=64KB) or by X- headers.
import type { IncomingMessage } from 'node:http'
import { parseByteSize } from '../../util/byte-size.ts'
import { parseDuration } from '../../util/duration.ts'

const MAX_DELAY_MS = 10 * 60_000
const MAX_SIZE_BYTES = 16 * 1024 ** 3

export interface Steering {
  readonly delayMs: number
  readonly status: number
  /** Bytes of the answer's body, or null for the echo. */
  readonly sizeBytes: number | null
  /** `reset` breaks the connection without an answer, `cut` in the middle of one, `hang` never answers. */
  readonly fail: 'reset' | 'cut' | 'hang' | null
}

/** Reads the steering of one request; throws an Error with a sentence for the client when a value makes no sense. */
export function readSteering(request: IncomingMessage, url: URL): Steering {
  const ask = (name: string): string | null => {
    const header = request.headers[`x-${name}`]
    return url.searchParams.get(name) ?? (typeof header === 'string' ? header : null)
  }
  const fail = ask('fail')
  if (fail !== null && fail !== 'reset' && fail !== 'cut' && fail !== 'hang') {
    throw new Error(`fail is reset, cut or hang, not "${fail}"`)
  }
  return {
    delayMs: parseDelay(ask('delay')),
    status: parseStatus(ask('status')),
    sizeBytes: parseSize(ask('size')),
    fail,
  }
}

function parseDelay(text: string | null): number {
  if (text === null) return 0
  const ms = /^\d+$/.test(text) ? Number(text) : attempt(() => parseDuration(text))
  if (!(ms <= MAX_DELAY_MS)) throw new Error(`delay is milliseconds or "2s", at most ten minutes, not "${text}"`)
  return ms
}

function parseStatus(text: string | null): number {
  if (text === null) return 200
  if (!/^[2-5]\d\d$/.test(text)) throw new Error(`status is a number from 200 to 599, not "${text}"`)
  return Number(text)
}

function parseSize(text: string | null): number | null {
  if (text === null) return null
  const bytes = /^\d+$/.test(text) ? Number(text) : attempt(() => parseByteSize(text))
  if (!(bytes <= MAX_SIZE_BYTES)) throw new Error(`size is bytes, "64KB" or "10MB", at most 16GB, not "${text}"`)
  return bytes
}

/** NaN where the text makes no sense. */
function attempt(parse: () => number): number {
  try {
    return parse()
  } catch {
    return Number.NaN
  }
}
