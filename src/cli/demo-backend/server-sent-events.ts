// The demo backend's event stream: one event a second by default, to see that a proxy passes each on at once.
import type { ServerResponse } from 'node:http'

const DEFAULT_INTERVAL_MS = 1000
const MIN_INTERVAL_MS = 10

/** `?interval=200` sets the milliseconds between events, `?count=5` ends the stream after five; else it never ends. */
export function serveEvents(o: { response: ServerResponse; name: string; url: URL }): void {
  const { response, name, url } = o
  const intervalMs = Math.max(numberOf(url, 'interval', DEFAULT_INTERVAL_MS), MIN_INTERVAL_MS)
  const count = numberOf(url, 'count', Number.POSITIVE_INFINITY)
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  let sent = 0
  const send = (): void => {
    sent++
    response.write(`id: ${sent}\ndata: ${JSON.stringify({ backend: name, n: sent, at: new Date().toISOString() })}\n\n`)
    if (sent >= count) response.end()
  }
  const timer = setInterval(send, intervalMs)
  response.on('close', () => clearInterval(timer))
  send()
}

function numberOf(url: URL, name: string, otherwise: number): number {
  const text = url.searchParams.get(name)
  if (text === null) return otherwise
  const value = Number(text)
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name} is a number, not "${text}"`)
  return value
}
