// Pools and listeners fit: every pool that is named exists, and its backends speak what the listener passes on.
import { closest } from '../../util/edit-distance.ts'
import { implicitPoolOf, kindOfListener } from '../pool-kind.ts'
import type { WrittenListener } from '../schema/listener.ts'
import { nodeAt, type Path } from '../source-tree.ts'
import type { Check } from './check.ts'

export function checkPoolsOfListeners(check: Check): void {
  const { config, report } = check
  const names = Object.keys(config.pools)
  if (names.length === 0 && !needsNoPool(check)) report(['backends'], 'is needed but missing', nameServers)
  let synthetic = false
  config.listeners.forEach((listener, i) => {
    for (const { path, pool } of namedPools(check, listener, i)) {
      if (Object.hasOwn(config.pools, pool)) checkKind(check, { listener, path, pool })
      else report(path, `there is no pool "${pool}"`, poolHint(pool, names), { value: pool })
    }
    if (listener.pool !== null || listener.protocol === 'tls-passthrough' || listener.redirectHttpsPort > 0) return
    const path: Path = ['listeners', i, 'pool']
    const implicit = implicitPoolOf(config, listener)
    if (implicit !== null) {
      // The listeners of the flat form share a pool, and one sentence about it.
      const isFlat = check.origin(['listeners', i]).path[0] !== 'listeners'
      if (!isFlat) checkKind(check, { listener, path, pool: implicit })
      else if (!synthetic) synthetic = checkFlatKind(check, listener, implicit)
    } else if (names.length > 0 && (listener.protocol !== 'http' || config.routes.length === 0)) {
      report(path, 'is needed: there are several pools and none is named "default"', 'name one')
    }
  })
}

/** Every listener answers by itself: with a redirect, or by routes that do. */
function needsNoPool({ config: { listeners, routes } }: Check): boolean {
  const byItself = ({ redirectHttpsPort, protocol }: WrittenListener): boolean =>
    redirectHttpsPort > 0 || (protocol === 'http' && routes.length > 0)
  return listeners.length > 0 && listeners.every(byItself)
}

export const nameServers = 'name the servers, like "backends": ["http://localhost:3000"]'

/** The pools that a listener names, each with its place. */
function namedPools({ tree }: Check, listener: WrittenListener, i: number): { path: Path; pool: string }[] {
  const path: Path = ['listeners', i]
  if (listener.protocol !== 'tls-passthrough') {
    return listener.pool === null ? [] : [{ path: [...path, 'pool'], pool: listener.pool }]
  }
  const routes = nodeAt(tree, [...path, 'sni'])
  if (routes?.kind !== 'object') return []
  return [...routes.entries.values()].flatMap((node, k) => {
    const { pool, alpn } = listener.sni[k]!
    const at: Path = [...path, 'sni', [...routes.entries.keys()][k]!]
    if (node.kind === 'scalar') return [{ path: at, pool }]
    const byProtocol = alpn.map((one) => ({ path: [...at, 'alpn', one.protocol], pool: one.pool }))
    return [{ path: [...at, 'pool'], pool }, ...byProtocol]
  })
}

export function poolHint(pool: string, names: readonly string[]): string {
  const guess = closest(pool, names)
  if (guess !== null) return `did you mean "${guess}"?`
  return names.length === 0 ? 'define it in pools' : `the pools are ${names.map((name) => `"${name}"`).join(', ')}`
}

function checkKind(
  { kinds, report }: Check,
  { listener, path, pool }: { listener: WrittenListener; path: Path; pool: string },
): void {
  const { kind, words } = kinds.get(pool)!
  if (kind === kindOfListener(listener)) return
  const message = `"${pool}" is ${words}, but the listener speaks ${listener.protocol}`
  const hint =
    kind === 'tcp' ? 'name an HTTP pool, or set "protocol": "tcp"' : 'name a pool with tcp:// or tls:// backends'
  report(path, message, hint, { value: pool })
}

/** As `checkKind`, for a listener that is not written: the backend is what can be changed. True = reported. */
function checkFlatKind({ config, kinds, report }: Check, listener: WrittenListener, pool: string): boolean {
  const { kind, backend } = kinds.get(pool)!
  if (kind === kindOfListener(listener)) return false
  const path: Path = ['pools', pool, 'backends']
  const hint = 'write a listener for it: "listeners": [{"name": "tcp", "listen": ":5432", "protocol": "tcp"}]'
  const url = config.pools[pool]!.backends[backend]?.url
  if (url === undefined) report(path, `are used by a listener that speaks tcp, and here by one that speaks http`, hint)
  else report([...path, backend], `${url} is for TCP, but the port of this pool speaks http`, hint, { value: url })
  return true
}
