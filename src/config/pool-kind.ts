// What the backends of a pool speak: HTTP, or any bytes over TCP. One pool is of one kind.
import type { PoolSpec } from '../core/spec.ts'

export type PoolKind = PoolSpec['kind']

/** The kind of pool that a backend belongs to, by its URL in normal form; null: a Unix socket belongs to both. */
export function kindOfUrl(url: string): PoolKind | null {
  if (/^https?:/.test(url)) return 'http'
  return /^(tcp|tls):/.test(url) ? 'tcp' : null
}

/** The kind of pool that a listener needs. */
export const kindOfListener = ({ protocol }: { readonly protocol: 'http' | 'tcp' | 'tls-passthrough' }): PoolKind =>
  protocol === 'http' ? 'http' : 'tcp'

/** What HTTP is negotiated as, the only version that is spoken; over TCP nothing is. */
export const httpAlpn = 'http/1.1'
export const defaultAlpn: Readonly<Record<PoolKind, readonly string[]>> = { http: [httpAlpn], tcp: [] }

const kindNames: Readonly<Record<PoolKind, string>> = { http: 'an HTTP pool', tcp: 'a TCP pool' }

/** Why a backend cannot join a pool, as a sentence without its dot; null = it can. */
export function kindProblem(pool: { readonly name: string; readonly kind: PoolKind }, url: string): string | null {
  const kind = kindOfUrl(url)
  if (kind === null || kind === pool.kind) return null
  const schemes = pool.kind === 'http' ? 'http://, https:// or unix:' : 'tcp://, tls:// or unix:'
  return `${url} does not fit: pool ${pool.name} is ${kindNames[pool.kind]}, whose backends are ${schemes}`
}

/** A pool's kind, and what decided it. */
export interface DecidedKind {
  readonly kind: PoolKind
  /** Which backend decided, or -1. */
  readonly backend: number
  /** "a TCP pool (tcp://10.0.0.5:5432)", "an HTTP pool (listener "web" uses it)". */
  readonly words: string
}

interface Parts {
  readonly listeners: readonly Use[]
  readonly routes: readonly unknown[]
  readonly pools: Readonly<Record<string, { readonly backends: readonly { readonly url: string }[] }>>
}
interface RouteUse {
  readonly name: string | null
  readonly action:
    | { readonly kind: 'pool'; readonly pool: string }
    | { readonly kind: 'split'; readonly targets: readonly { readonly pool: string }[] }
    | { readonly kind: 'redirect' | 'respond' }
  readonly mirror: { readonly pool: string } | null
}
interface Use {
  readonly name: string
  readonly protocol: 'http' | 'tcp' | 'tls-passthrough'
  readonly pool: string | null
  readonly redirectHttpsPort: number
  readonly sni: readonly { readonly pool: string; readonly alpn: readonly { readonly pool: string }[] }[]
}

/** The pools that a listener names. */
export function poolsNamed(listener: Use): string[] {
  const routed = listener.sni.flatMap(({ pool, alpn }) => [pool, ...alpn.map((one) => one.pool)])
  return [...(listener.pool === null || listener.pool === '' ? [] : [listener.pool]), ...routed]
}

/** The pools that a route names. */
export function poolsOfRoute({ action, mirror }: RouteUse): string[] {
  const copies = mirror === null ? [] : [mirror.pool]
  if (action.kind === 'pool') return [action.pool, ...copies]
  return action.kind === 'split' ? [...action.targets.map(({ pool }) => pool), ...copies] : copies
}

/** The pool of a listener that names none: `default`, or the only one. */
export function implicitPool(pools: Parts['pools']): string | null {
  if (Object.hasOwn(pools, 'default')) return 'default'
  const names = Object.keys(pools)
  return names.length === 1 ? names[0]! : null
}

/**
 * The same, for one listener: where there are routes, the only pool is none that an http listener would fall back to.
 */
export function implicitPoolOf(
  { pools, routes }: Pick<Parts, 'pools' | 'routes'>,
  { protocol }: Pick<Use, 'protocol'>,
): string | null {
  if (protocol !== 'http' || routes.length === 0) return implicitPool(pools)
  return Object.hasOwn(pools, 'default') ? 'default' : null
}

/** The kind of every pool: the first backend with a scheme decides, else the first listener that uses it. */
export function decideKinds(parts: Parts): Map<string, DecidedKind> {
  return new Map(Object.entries(parts.pools).map(([name, pool]) => [name, decide(parts, name, pool.backends)]))
}

function decide(parts: Parts, name: string, backends: readonly { readonly url: string }[]): DecidedKind {
  for (const [backend, { url }] of backends.entries()) {
    const kind = kindOfUrl(url)
    if (kind !== null) return { kind, backend, words: `${kindNames[kind]} (${url})` }
  }
  const user = parts.listeners.find((listener) => usesPool(listener, name, parts))
  if (user === undefined) return { kind: 'http', backend: -1, words: kindNames.http }
  const kind = kindOfListener(user)
  return { kind, backend: -1, words: `${kindNames[kind]} (listener "${user.name}" uses it)` }
}

function usesPool(listener: Use, name: string, parts: Parts): boolean {
  if (poolsNamed(listener).includes(name)) return true
  const serves = listener.protocol !== 'tls-passthrough' && listener.redirectHttpsPort === 0
  return serves && listener.pool === null && implicitPoolOf(parts, listener) === name
}
