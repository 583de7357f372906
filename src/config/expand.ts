// Flat keys → their places in the long form. A flat key and its long twin may both be written if they say the same.
import { contradiction, type Entries, scalar, text } from './expand/nodes.ts'
import { expandTls } from './expand/tls.ts'
import { parseListenAddress } from './listen-address.ts'
import type { Problem } from './problem.ts'
import { adminDefaults } from './schema/admin.ts'
import { flatDefaults } from './schema/file.ts'
import { type ObjectNode, type Path, type SourceNode, toValue } from './source-tree.ts'

/** Flat key → its place within pool `default`. */
export const poolPlaces = {
  strategy: ['strategy'],
  backends: ['backends'],
  sticky: ['sticky'],
  health_check_frequency: ['health_check', 'interval'],
  health_check_method: ['health_check', 'method'],
  health_check_path: ['health_check', 'path'],
  backend_timeout: ['timeouts', 'first_byte'],
} as const satisfies Record<string, Path>

/** The expanded tree; its nodes keep the origins of the flat keys they came from. */
export function expand(root: ObjectNode, problems: Problem[]): ObjectNode {
  const entries = new Map(root.entries)
  const flatForm = entries.has('port') || !entries.has('listeners')
  expandListener(root, entries, flatForm, problems)
  expandTls(entries, problems)
  expandAdmin(root, entries, flatForm, problems)
  expandPool(root, entries, problems)
  return { ...root, entries }
}

function expandListener(root: ObjectNode, entries: Entries, flatForm: boolean, problems: Problem[]): void {
  const port = entries.get('port')
  entries.delete('port')
  if (!flatForm) return
  const given = entries.get('listeners')
  const items = given?.kind === 'array' ? given.items : []
  const twin = items.find((item) => item.kind === 'object' && text(item.entries.get('name')) === 'default')
  const listen = twin?.kind === 'object' ? twin.entries.get('listen') : undefined
  if (listen !== undefined && port !== undefined) {
    if (portOf(listen) !== toValue(port)) problems.push(contradiction(port, listen))
    return
  }
  const place = port ?? root
  const written = new Map<string, SourceNode>([
    ['name', scalar(place, 'default')],
    ['listen', scalar(place, `:${port === undefined ? flatDefaults.port : toValue(port)}`)],
  ])
  const flat: ObjectNode = { kind: 'object', origin: root.origin, entries: written }
  entries.set('listeners', { kind: 'array', origin: (given ?? root).origin, items: [...items, flat] })
}

function expandAdmin(root: ObjectNode, entries: Entries, flatForm: boolean, problems: Problem[]): void {
  const port = entries.get('admin_port')
  entries.delete('admin_port')
  const admin = entries.get('admin')
  if (admin === undefined) {
    if (!flatForm && port === undefined) return
    const listen = scalar(
      port ?? root,
      `${adminDefaults.host}:${port === undefined ? adminDefaults.port : toValue(port)}`,
    )
    entries.set('admin', { kind: 'object', origin: root.origin, entries: new Map([['listen', listen]]) })
    return
  }
  if (port === undefined) return
  if (admin.kind !== 'object') {
    problems.push(contradiction(port, admin))
    return
  }
  const listen = admin.entries.get('listen')
  if (listen === undefined) {
    const written = scalar(port, `${adminDefaults.host}:${toValue(port)}`)
    entries.set('admin', { ...admin, entries: new Map(admin.entries).set('listen', written) })
  } else if (portOf(listen) !== toValue(port)) {
    problems.push(contradiction(port, listen))
  }
}

function expandPool(root: ObjectNode, entries: Entries, problems: Problem[]): void {
  const given = entries.get('pools')
  const pools = given?.kind === 'object' ? given : undefined
  let pool = pools?.entries.get('default')
  for (const [key, place] of Object.entries(poolPlaces)) {
    const node = entries.get(key)
    entries.delete(key)
    if (node === undefined) continue
    pool ??= { kind: 'object', origin: root.origin, entries: new Map() }
    pool = put(pool, place, node, { root, problems })
  }
  if (pool === undefined) return
  const origin = (pools ?? root).origin
  entries.set('pools', { kind: 'object', origin, entries: new Map(pools?.entries).set('default', pool) })
}

/** `into` with `node` at `place`; objects on the way are made, a different value already there is a contradiction. */
function put(
  into: SourceNode,
  place: Path,
  node: SourceNode,
  to: { root: ObjectNode; problems: Problem[] },
): SourceNode {
  if (into.kind !== 'object') return into
  const [step, ...rest] = place as [string, ...string[]]
  const existing = into.entries.get(step)
  if (rest.length > 0) {
    const inner = existing ?? { kind: 'object' as const, origin: to.root.origin, entries: new Map() }
    return { ...into, entries: new Map(into.entries).set(step, put(inner, rest, node, to)) }
  }
  if (existing !== undefined) {
    if (JSON.stringify(toValue(existing)) !== JSON.stringify(toValue(node)))
      to.problems.push(contradiction(node, existing))
    return into
  }
  return { ...into, entries: new Map(into.entries).set(step, node) }
}

function portOf(listen: SourceNode): number | undefined {
  try {
    return parseListenAddress(text(listen) ?? '', { anyPort: true }).port
  } catch {
    return undefined // said elsewhere
  }
}
