// The start-up message: where everything is and what to try; one JSON line where logs are JSON.
import type { LoadedConfig } from '../config/load.ts'
import type { Running } from '../supervisor/frontdesk.ts'
import type { CliContext } from './cli-context.ts'
import type { LogSink } from './log-sink.ts'
import { plural, type Terminal } from './terminal.ts'

export interface AnnounceOptions {
  readonly context: CliContext
  readonly running: Running
  readonly loaded: LoadedConfig
  readonly log: LogSink
  readonly source: string
  readonly hints?: readonly string[]
}

export function announce(o: AnnounceOptions): void {
  const { running, context, log } = o
  const listeners = running.listeners.map((listener) => ({ ...listener, url: urlOf(listener) }))
  const admin = running.admin === null ? null : urlOf(running.admin)
  if (log.format === 'json') {
    const fields = {
      version: context.version,
      node: process.versions.node,
      workers: running.workerCount,
      config: o.source,
    }
    const places = listeners.map((listener) => listener.url).join(', ')
    log.event('info', 'started', `frontdesk ${context.version} serves ${places}`, {
      ...fields,
      listeners,
      admin,
      pid: process.pid,
    })
    return
  }
  log.flush()
  context.terminal.out(block(o, listeners, admin))
}

function block(o: AnnounceOptions, listeners: readonly { name: string; url: string }[], admin: string | null): string {
  const { paint } = o.context.terminal
  const head = [
    paint('bold', `frontdesk ${o.context.version}`),
    `node ${process.versions.node}`,
    o.running.workerCount === 0 ? 'no worker threads' : plural(o.running.workerCount, 'worker'),
    `config: ${o.source}`,
  ]
  const lines = listeners.map(({ name, url }) => {
    const label = listeners.length === 1 ? 'Proxy' : name
    return row(label, `${url.padEnd(26)} ${poolSummary(o, name)}`)
  })
  if (admin !== null) lines.push(row('Admin', admin), row('Metrics', `${admin}/metrics`))
  const first = listeners[0]
  const attempt = first === undefined ? '' : `try   curl -i ${first.url}/        `
  const hints = (o.hints ?? []).map((hint) => `\n        ${hint}`).join('')
  return `  ${head.join(' · ')}\n\n${lines.join('\n')}\n\n  ${attempt}Ctrl-C drains and stops${hints}\n\n`
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(10)} ${text}`
}

/** "round-robin → 3 backends (2 up, 1 down)". */
function poolSummary(o: AnnounceOptions, listenerName: string): string {
  const { pool } = o.loaded.config.listeners.find(({ name }) => name === listenerName)!
  const backends = o.running.status().backends.filter((backend) => backend.pool === pool)
  const { strategy, healthCheck } = o.loaded.config.pools[pool]!
  const choice = `${strategy} → ${plural(backends.length, 'backend')}`
  if (healthCheck === null) return `${choice} (no health checks)`
  const counts = new Map<string, number>([['up', 0]])
  for (const { state } of backends) counts.set(state, (counts.get(state) ?? 0) + 1)
  const parts = [...counts].map(([state, count]) => paintCount(state, count, o.context.terminal))
  return `${choice} (${parts.join(', ')})`
}

function paintCount(state: string, count: number, { paint }: Terminal): string {
  if (state === 'unknown') return `${count} not checked yet`
  const text = `${count} ${state}`
  if (count === 0) return text
  return paint(state === 'up' ? 'green' : 'red', text)
}

/** As a person on this machine would type it: an address on all interfaces is reached as localhost. */
export function urlOf(address: { readonly host: string; readonly port: number }): string {
  const { host, port } = address
  const anywhere = host === '' || host === '0.0.0.0' || host === '::' || host === '127.0.0.1' || host === '::1'
  return `http://${anywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`
}
