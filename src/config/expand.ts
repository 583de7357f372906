// Flat keys → their places in the long form. A flat key and its long twin may both be written if they say the same.
import { parseListenAddress } from './listen-address.ts'
import { type Problem, problemAt, show } from './problem.ts'
import { adminDefaults } from './schema/admin.ts'
import { flatDefaults } from './schema/file.ts'
import { flatTlsPort } from './schema/listener-tls.ts'
import { formatPath, type ObjectNode, type Path, type ScalarNode, type SourceNode, toValue } from './source-tree.ts'

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

const httpOnly = ['path', 'host', 'expect']

/** The expanded tree; its nodes keep the origins of the flat keys they came from. */
export function expand(root: ObjectNode, problems: Problem[]): ObjectNode {
  const entries = new Map(root.entries)
  const flatForm = entries.has('port') || !entries.has('listeners')
  expandListener(root, entries, flatForm, problems)
  expandTls(entries, problems)
  expandAdmin(root, entries, flatForm, problems)
  expandPool(root, entries, problems)
  chooseHealthMethods(entries, problems)
  return { ...root, entries }
}

type Entries = Map<string, SourceNode>

const scalar = (like: SourceNode, value: ScalarNode['value']): ScalarNode => ({
  kind: 'scalar',
  origin: like.origin,
  value,
})

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

/** `tls` is a second listener beside `default`, for the same pool. */
function expandTls(entries: Entries, problems: Problem[]): void {
  const flat = entries.get('tls')
  entries.delete('tls')
  if (flat?.kind !== 'object') return
  const given = entries.get('listeners')
  const items = given?.kind === 'array' ? given.items : []
  const named = (name: string) => (item: SourceNode) =>
    item.kind === 'object' && text(item.entries.get('name')) === name
  const twin = items.find(named('default-tls'))
  if (twin !== undefined) {
    const message = `is short for a listener "default-tls", which ${formatPath(twin.origin.path)} is already`
    problems.push(problemAt(flat.origin, { message, hint: 'keep one of the two', atKey: true }))
    return
  }
  const port = flat.entries.get('port') ?? scalar(within(flat, 'port'), flatTlsPort)
  const first = items.findIndex(named('default'))
  const redirect = flat.entries.get('redirect_http')
  const plain = redirect === undefined || toValue(redirect) === false ? items : redirected(items, first, redirect, port)
  if (plain === null) {
    const message = 'there is no listener "default" that could redirect'
    problems.push(problemAt(redirect!.origin, { message, hint: 'give the one that is meant "redirect_https"' }))
  }
  const secure = secureListener(flat, port, items[first])
  entries.set('listeners', { kind: 'array', origin: (given ?? flat).origin, items: [...(plain ?? items), secure] })
}

/** A node for what is not written, at the place of `parent`. */
function within(parent: ObjectNode, step: string): ObjectNode {
  return { ...parent, origin: { ...parent.origin, path: [...parent.origin.path, step] } }
}

function redirected(
  items: readonly SourceNode[],
  index: number,
  redirect: SourceNode,
  port: SourceNode,
): SourceNode[] | null {
  const listener = items[index]
  if (listener?.kind !== 'object') return null
  const target = scalar(redirect, toValue(port) as number)
  return items.with(index, { ...listener, entries: new Map(listener.entries).set('redirect_https', target) })
}

function secureListener(flat: ObjectNode, port: SourceNode, plain: SourceNode | undefined): ObjectNode {
  const { origin } = flat
  const pick = (...keys: string[]): [string, SourceNode][] =>
    keys.flatMap((key) => (flat.entries.has(key) ? [[key, flat.entries.get(key)!]] : []))
  const pair: ObjectNode = { kind: 'object', origin, entries: new Map(pick('cert', 'key')) }
  const certificates: SourceNode = { kind: 'array', origin, items: [pair] }
  const tls: ObjectNode = {
    kind: 'object',
    origin,
    entries: new Map([['certificates', certificates], ...pick('min_version', 'hsts')]),
  }
  const pool = plain?.kind === 'object' ? plain.entries.get('pool') : undefined
  const entries = new Map<string, SourceNode>([
    ['name', scalar(flat, 'default-tls')],
    ['listen', scalar(port, `:${toValue(port)}`)],
    ['tls', tls],
  ])
  if (pool !== undefined) entries.set('pool', pool)
  return { kind: 'object', origin, entries }
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

function contradiction(flat: SourceNode, long: SourceNode): Problem {
  const there = formatPath(long.origin.path)
  const values = [toValue(flat), toValue(long)] as const
  const bothPlain = flat.kind === 'scalar' && long.kind === 'scalar'
  const message = bothPlain
    ? `${show(values[0])} contradicts ${there}, which is ${show(values[1])}`
    : `contradicts ${there}, which says something else`
  return problemAt(flat.origin, { message, hint: 'keep one of the two', value: values[0] })
}

/** A check with a path, a host or statuses is an HTTP check; that it is said to be another is a contradiction. */
function chooseHealthMethods(entries: Entries, problems: Problem[]): void {
  const pools = entries.get('pools')
  if (pools?.kind !== 'object') return
  const chosen = new Map(pools.entries)
  for (const [name, pool] of pools.entries) {
    const check = pool.kind === 'object' ? pool.entries.get('health_check') : undefined
    if (pool.kind !== 'object' || check?.kind !== 'object') continue
    const reason = httpOnly.map((key) => check.entries.get(key)).find((node) => node !== undefined)
    if (reason === undefined) continue
    const method = check.entries.get('method')
    if (method === undefined) {
      const http = { ...check, entries: new Map(check.entries).set('method', scalar(reason, 'http')) }
      chosen.set(name, { ...pool, entries: new Map(pool.entries).set('health_check', http) })
    } else if (toValue(method) !== 'http') {
      const message = `is for HTTP checks, but ${formatPath(method.origin.path)} is ${show(toValue(method))}`
      problems.push(
        problemAt(reason.origin, { message, hint: 'make that "http", or remove this', value: toValue(reason) }),
      )
    }
  }
  entries.set('pools', { ...pools, entries: chosen })
}

function text(node: SourceNode | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined
}

function portOf(listen: SourceNode): number | undefined {
  try {
    return parseListenAddress(text(listen) ?? '', { anyPort: true }).port
  } catch {
    return undefined // said elsewhere
  }
}
