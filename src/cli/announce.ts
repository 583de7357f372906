// The start-up message: where everything is and what to try; one JSON line where logs are JSON.
import type { ListenerConfig } from '../config/config.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { Running } from '../supervisor/frontdesk.ts'
import type { CliContext } from './cli-context.ts'
import { schemeOf, urlOf, urlsOf } from './listener-url.ts'
import { choiceWords, poolsOfListener } from './listener-words.ts'
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
  const { listeners: configured } = o.loaded.config
  const schemes = running.listeners.map((listener) => schemeOf(configured.find(({ name }) => name === listener.name)!))
  const places = running.listeners.flatMap((listener, i) => {
    const all = [listener, ...(listener.others ?? [])]
    return all.map((place) => ({ ...place, of: listener.name, scheme: schemes[i]! }))
  })
  const urls = urlsOf(places)
  const listeners = running.listeners.map(({ others: _, ...listener }) => {
    const [url, ...others] = urls.filter((_, i) => places[i]!.of === listener.name)
    return { ...listener, url: url!, ...(others.length > 0 && { others }) }
  })
  const adminScheme = o.loaded.config.admin?.tls == null ? 'http' : 'https'
  const admin = running.admin === null ? null : urlOf(running.admin, adminScheme)
  if (log.format === 'json') {
    const fields = {
      version: context.version,
      node: process.versions.node,
      workers: running.workerCount,
      config: o.source,
    }
    log.event('info', 'started', `frontdesk ${context.version} serves ${urls.join(', ')}`, {
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

interface Announced {
  readonly name: string
  readonly url: string
  /** Where else it listens: under one name several sockets may have been passed. */
  readonly others?: readonly string[]
}

function block(o: AnnounceOptions, listeners: readonly Announced[], admin: string | null): string {
  const { paint } = o.context.terminal
  const head = [
    paint('bold', `frontdesk ${o.context.version}`),
    `node ${process.versions.node}`,
    o.running.workerCount === 0 ? 'no worker threads' : plural(o.running.workerCount, 'worker'),
    `config: ${o.source}`,
  ]
  const rows = listeners.flatMap(({ name, url, others = [] }) => [
    [listeners.length === 1 ? 'Proxy' : name, url, summary(o, name)],
    ...others.map((other) => ['', other]),
  ])
  if (admin !== null) rows.push(['Admin', admin, '(the dashboard)'], ['Metrics', `${admin}/metrics`])
  const lines = aligned(rows)
  const attempt = listeners.map(({ name, url }) => attemptAt(configOf(o, name), url)).find((words) => words !== '')
  const hints = (o.hints ?? []).map((hint) => `\n        ${hint}`).join('')
  return `  ${head.join(' · ')}\n\n${lines.join('\n')}\n\n  ${attempt ?? ''}Ctrl-C drains and stops${hints}\n\n`
}

/** Columns that stand where they always do, and further right where something is long. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const width = (column: number, least: number): number =>
    Math.max(least, ...rows.map((row) => (row.length > column + 1 ? row[column]!.length + 1 : 0)))
  const widths = [width(0, 10), width(1, 26)]
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' ')}`.trimEnd())
}

const configOf = (o: AnnounceOptions, name: string): ListenerConfig =>
  o.loaded.config.listeners.find((listener) => listener.name === name)!

/** What to type to see an answer; '' where a browser or curl would see none. */
function attemptAt({ protocol, redirectHttpsPort, acceptProxyProtocol }: ListenerConfig, url: string): string {
  if (protocol !== 'http' || redirectHttpsPort > 0 || acceptProxyProtocol.length > 0) return ''
  if (url.startsWith('unix:')) return `try   curl -i --unix-socket ${url.slice(5)} http://localhost/        `
  if (url.startsWith('https:')) return `try   curl -ik ${url}/        `
  return url.startsWith('http:') ? `try   curl -i ${url}/        ` : ''
}

/** "round-robin → 3 backends (2 up, 1 down)". */
function summary(o: AnnounceOptions, listenerName: string): string {
  const listener = configOf(o, listenerName)
  if (listener.redirectHttpsPort > 0) return `redirects to https (port ${listener.redirectHttpsPort})`
  const names = poolsOfListener(listener, o.loaded.config)
  const backends = o.running.status().backends.filter(({ pool }) => names.includes(pool))
  const pools = names.map((name) => o.loaded.config.pools[name]!)
  const how = choiceWords(listener, o.loaded.config)
  if (pools.length === 0) return how
  const choice = `${how} → ${plural(backends.length, 'backend')}`
  if (pools.every(({ healthCheck }) => healthCheck === null)) return `${choice} (no health checks)`
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
