// The flat key `tls` → listener `default-tls`.
import { type Problem, problemAt } from '../problem.ts'
import { flatTlsPort } from '../schema/listener-tls.ts'
import { formatPath, type ObjectNode, type SourceNode, toValue } from '../source-tree.ts'
import { contradiction, type Entries, scalar, text } from './nodes.ts'

/** `tls` is a second listener beside `default`, for the same pool. */
export function expandTls(entries: Entries, problems: Problem[]): void {
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
  const place = { ...flat.origin, path: [...flat.origin.path, 'port'] }
  const port = flat.entries.get('port') ?? { kind: 'scalar', origin: place, value: flatTlsPort }
  const first = items.findIndex(named('default'))
  const redirect = flat.entries.get('redirect_http')
  const plain =
    redirect === undefined || toValue(redirect) === false
      ? items
      : redirecting(items, first, { redirect, port, problems })
  const secure = secureListener(flat, port, items[first])
  entries.set('listeners', { kind: 'array', origin: (given ?? flat).origin, items: [...plain, secure] })
}

/** The listeners, the one at `index` sending its clients to `port`. */
function redirecting(
  items: readonly SourceNode[],
  index: number,
  to: { redirect: SourceNode; port: SourceNode; problems: Problem[] },
): readonly SourceNode[] {
  const { redirect, port, problems } = to
  const listener = items[index]
  if (listener?.kind !== 'object') {
    const message = 'there is no listener "default" that could redirect'
    problems.push(problemAt(redirect.origin, { message, hint: 'give the one that is meant "redirect_https"' }))
    return items
  }
  const twin = listener.entries.get('redirect_https')
  if (twin !== undefined && toValue(twin) !== toValue(port)) problems.push(contradiction(redirect, twin))
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
