// A stream of the admin API, read for as long as somebody wants it: when it breaks it is opened again, where it broke off.
import { setTimeout as sleep } from 'node:timers/promises'
import { type AdminTarget, openAdmin } from './admin-client.ts'
import { RefusedError } from './admin-refusal.ts'
import { CliError } from './exit-code.ts'
import { type ServerSentEvent, SseParser } from './sse-parser.ts'

/** The server writes a comment every 15 s: after so long a silence nobody is there any more. */
const SILENCE_MS = 40_000
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5_000

export type StreamNews =
  | { readonly kind: 'event'; readonly event: ServerSentEvent }
  /** The connection is gone; it is tried again. Told once for each failed attempt. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** It stands, the first time or again. */
  | { readonly kind: 'open' }

export interface StreamOptions {
  readonly path: string
  readonly signal: AbortSignal
}

/** Ends with the signal. Throws a CliError when it cannot be opened the first time, or is refused later. */
export async function* follow(target: AdminTarget, { path, signal }: StreamOptions): AsyncGenerator<StreamNews> {
  let lastId = ''
  let pauseMs = FIRST_PAUSE_MS
  let hasStood = false
  while (!signal.aborted) {
    try {
      const headers = { accept: 'text/event-stream', ...(lastId !== '' && { 'last-event-id': lastId }) }
      const response = await openAdmin(target, { path, headers, signal, timeoutMs: SILENCE_MS })
      if (!/^text\/event-stream\b/i.test(response.headers['content-type'] ?? '')) throw noStream(target, path)
      hasStood = true
      yield { kind: 'open' }
      const parser = new SseParser()
      for await (const piece of response) {
        for (const event of parser.push(piece as Buffer)) {
          lastId = event.id
          pauseMs = FIRST_PAUSE_MS
          yield { kind: 'event', event }
        }
      }
      yield { kind: 'lost', reason: 'the other side has closed it' }
    } catch (error) {
      if (signal.aborted) return
      if (!hasStood || (error instanceof RefusedError && error.status < 500)) throw error
      yield { kind: 'lost', reason: reasonOf(error as Error) }
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }
}

function noStream({ base }: AdminTarget, path: string): CliError {
  return new CliError(`${path} at ${base.origin} is no stream of events`, {
    hint: 'is the running Frontdesk older than this program? "frontdesk version" and "frontdesk status" tell',
  })
}

function reasonOf(error: Error): string {
  return error.message.replace(/^cannot reach the admin API at \S+: /, '')
}
