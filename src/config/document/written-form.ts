// The normal form taken back to the form that a file is written in: what was written flat stays flat, and what is new goes
// to a flat key where there is one and the rest of its pool is written so.
import { poolPlaces } from '../expand.ts'
import { parseListenAddress } from '../listen-address.ts'
import { adminDefaults } from '../schema/admin.ts'
import { flatDefaults } from '../schema/file.ts'
import { flatTlsPort } from '../schema/listener-tls.ts'
import {
  type ArrayNode,
  fromValue,
  nodeAt,
  type ObjectNode,
  type Path,
  type Source,
  type SourceNode,
  toValue,
} from '../source-tree.ts'
import { isSame } from './places.ts'
import type { Json } from './types.ts'

/** Nodes that are made here stand in no text. */
export const newSource: Source = { name: 'saved', text: '' }

type Entries = Map<string, SourceNode>

export interface Forms {
  /** As it is written now. */
  readonly written: ObjectNode
  /** That, expanded. */
  readonly before: ObjectNode
  /** What it shall say, expanded. */
  readonly after: ObjectNode
}

/** The tree of a file that means what `after` says; nodes of `written` that say the same as before are in it as they are. */
export function writtenForm(forms: Forms): ObjectNode {
  const entries: Entries = new Map(forms.after.entries)
  unexpandPool(forms, entries)
  unexpandTls(forms, entries)
  unexpandListener(forms, entries)
  unexpandAdmin(forms, entries)
  return { ...forms.written, entries: inOrderOf(forms.written.entries, entries) }
}

/** Keys stay where they stand; new ones follow. */
function inOrderOf(written: ReadonlyMap<string, SourceNode>, entries: Entries): Entries {
  const kept = [...written.keys()].filter((key) => entries.has(key))
  const added = [...entries.keys()].filter((key) => !written.has(key))
  return new Map([...kept, ...added].map((key) => [key, entries.get(key)!]))
}

const plain = (node: SourceNode | undefined): Json | undefined =>
  node === undefined ? undefined : (toValue(node) as Json)
const made = (value: Json): SourceNode => fromValue(value, newSource, [])

function unexpandPool({ written, after }: Forms, entries: Entries): void {
  const pools = entries.get('pools')
  if (pools?.kind !== 'object') return
  const own = nodeAt(written, ['pools', 'default'])
  let pool = pools.entries.get('default')
  for (const [key, place] of Object.entries(poolPlaces)) {
    const node = nodeAt(after, ['pools', 'default', ...place])
    const isFlat = written.entries.has(key) || own === undefined
    if (node === undefined || !isFlat) continue
    entries.set(key, node)
    const isTwice = own !== undefined && nodeAt(own, place) !== undefined
    if (!isTwice && pool !== undefined) pool = withoutPlace(pool, place)
  }
  const rest = new Map(pools.entries)
  if (pool === undefined || (own === undefined && isEmpty(pool))) rest.delete('default')
  else rest.set('default', pool)
  if (rest.size === 0 && !written.entries.has('pools')) entries.delete('pools')
  else entries.set('pools', { ...pools, entries: rest })
}

const isEmpty = (node: SourceNode): boolean => node.kind === 'object' && node.entries.size === 0

/** Objects that are left empty go as well. */
function withoutPlace(node: SourceNode, [step, ...rest]: Path): SourceNode {
  if (node.kind !== 'object' || step === undefined) return node
  const entries = new Map(node.entries)
  const inner = entries.get(String(step))
  const left = inner === undefined || rest.length === 0 ? undefined : withoutPlace(inner, rest)
  if (left === undefined || isEmpty(left)) entries.delete(String(step))
  else entries.set(String(step), left)
  return { ...node, entries }
}

const listOf = (entries: ReadonlyMap<string, SourceNode>): readonly SourceNode[] => {
  const list = entries.get('listeners')
  return list?.kind === 'array' ? list.items : []
}

function setList({ written }: Forms, entries: Entries, items: readonly SourceNode[]): void {
  const given = written.entries.get('listeners')
  if (items.length === 0 && given === undefined) entries.delete('listeners')
  else entries.set('listeners', { kind: 'array', origin: (given ?? written).origin, items } satisfies ArrayNode)
}

const named = (items: readonly SourceNode[], name: string): number =>
  items.findIndex((item) => plain(nodeAt(item, ['name'])) === name)

const isWritten = ({ written }: Forms, name: string): boolean => named(listOf(written.entries), name) !== -1

const withEntry = (node: SourceNode, key: string, value: SourceNode | undefined): SourceNode => {
  if (node.kind !== 'object') return node
  const entries = new Map(node.entries)
  if (value === undefined) entries.delete(key)
  else entries.set(key, value)
  return { ...node, entries }
}

/** `:8080`, which the flat keys can say; null for any other address. */
function plainPort(listen: SourceNode | undefined): number | null {
  const text = plain(listen)
  const port = typeof text === 'string' && /^:\d+$/.test(text) ? Number(text.slice(1)) : null
  return port
}

/** The listener `default-tls` as the flat key it was, where that can say it. */
function unexpandTls(forms: Forms, entries: Entries): void {
  const tls = forms.written.entries.get('tls')
  if (tls?.kind !== 'object') return
  const items = listOf(entries)
  const index = named(items, 'default-tls')
  const flat = index === -1 ? null : flatTls(forms, tls, items, items[index]!)
  if (flat === null) return
  const others = items.filter((_, i) => i !== index)
  const first = named(others, 'default')
  const redirects = plain(flat.entries.get('redirect_http')) === true
  entries.set('tls', flat)
  setList(
    forms,
    entries,
    redirects && first !== -1 ? others.with(first, withEntry(others[first]!, 'redirect_https', undefined)) : others,
  )
}

const flatTlsKeys = new Set(['certificates', 'min_version', 'hsts'])

function flatTls(
  { before }: Forms,
  tls: ObjectNode,
  items: readonly SourceNode[],
  listener: SourceNode,
): ObjectNode | null {
  const inner = nodeAt(listener, ['tls'])
  const certificates = nodeAt(listener, ['tls', 'certificates'])
  const pair = certificates?.kind === 'array' && certificates.items.length === 1 ? certificates.items[0] : undefined
  const port = plainPort(nodeAt(listener, ['listen']))
  if (inner?.kind !== 'object' || pair?.kind !== 'object' || port === null || listener.kind !== 'object') return null
  if ([...inner.entries.keys()].some((key) => !flatTlsKeys.has(key))) return null
  if ([...listener.entries.keys()].some((key) => !['name', 'listen', 'tls', 'pool'].includes(key))) return null
  const first = items[named(items, 'default')]
  if (!isSame(plain(listener.entries.get('pool')), plain(first && nodeAt(first, ['pool'])))) return null
  const redirect = plain(first && nodeAt(first, ['redirect_https']))
  const says: Entries = new Map([...tls.entries].filter(([key]) => key === 'redirect_http'))
  if (redirect === port) says.set('redirect_http', made(true))
  else says.delete('redirect_http')
  const oldPort = plainPort(nodeAt(before, ['listeners', named(listOf(before.entries), 'default-tls'), 'listen']))
  const portNode = tls.entries.get('port')
  if (port === oldPort && portNode !== undefined) says.set('port', portNode)
  else if (port !== flatTlsPort) says.set('port', made(port))
  for (const [key, node] of pair.entries) says.set(key, node)
  for (const [key, node] of inner.entries) if (key !== 'certificates') says.set(key, node)
  // What says the same as before stays as it is written, `false` for a redirect included.
  const was = tls.entries.get('redirect_http')
  if (was !== undefined && (plain(was) === true) === (redirect === port)) says.set('redirect_http', was)
  return { ...tls, entries: inOrderOf(tls.entries, says) }
}

/** The listener `default` as the flat key `port`, where it was that and says nothing else. */
function unexpandListener(forms: Forms, entries: Entries): void {
  const { written, before } = forms
  const items = listOf(entries)
  const index = named(items, 'default')
  const port = written.entries.get('port')
  if (index === -1) {
    if (!isFlat(written)) return
    setList(forms, entries, items)
    // Without the key nobody would know that there is no listener `default`.
    if (!entries.has('listeners')) entries.set('listeners', { kind: 'array', origin: written.origin, items })
    return
  }
  const item = items[index] as ObjectNode
  const listen = item.entries.get('listen')
  if (isWritten(forms, 'default')) {
    if (port === undefined) return
    const number = portOf(listen)
    if (number !== null) entries.set('port', number === Number(plain(port)) ? port : made(number))
    return
  }
  const old = nodeAt(before, ['listeners', named(listOf(before.entries), 'default'), 'listen'])
  const isOld = isSame(plain(listen), plain(old))
  const isPlain = item.entries.size === 2 && plainPort(listen) !== null
  const number = portOf(listen)
  const rest = isPlain ? items.filter((_, i) => i !== index) : items
  setList(forms, entries, rest)
  if (number === null) return
  if (isOld && port !== undefined) entries.set('port', port)
  else if (entries.has('listeners') || number !== flatDefaults.port) entries.set('port', made(number))
}

const isFlat = (written: ObjectNode): boolean => written.entries.has('port') || !written.entries.has('listeners')

function portOf(listen: SourceNode | undefined): number | null {
  try {
    const { port } = parseListenAddress(String(plain(listen)), { anyPort: true })
    return port === 0 ? null : port
  } catch {
    return null
  }
}

/** The address of the admin API as the flat key `admin_port`, where it was that. */
function unexpandAdmin({ written, before, after }: Forms, entries: Entries): void {
  const port = written.entries.get('admin_port')
  const own = written.entries.get('admin')
  const admin = after.entries.get('admin')
  if (admin?.kind !== 'object') {
    // Where the flat form would open one, that there is none has to be said.
    if (admin === undefined && opensAdmin(entries)) entries.set('admin', made(null))
    return
  }
  const listen = admin.entries.get('listen')
  const isOld = isSame(plain(listen), plain(nodeAt(before, ['admin', 'listen'])))
  const ownListen = own === undefined ? undefined : nodeAt(own, ['listen'])
  const flat = addressOf(listen)
  if (ownListen !== undefined || flat === null || (port === undefined && own !== undefined)) {
    if (port !== undefined && flat !== null) entries.set('admin_port', isOld ? port : made(flat.port))
    return
  }
  if (flat.host !== adminDefaults.host) {
    if (port !== undefined) entries.set('admin_port', isOld ? port : made(flat.port))
    return
  }
  const rest = withEntry(admin, 'listen', undefined)
  if (own === undefined && isEmpty(rest)) entries.delete('admin')
  else entries.set('admin', rest)
  if (isOld && port !== undefined) entries.set('admin_port', port)
  else if (!opensAdmin(entries) || flat.port !== adminDefaults.port) entries.set('admin_port', made(flat.port))
}

/** Whether a file with these keys has an admin API although it does not name one. */
const opensAdmin = (entries: Entries): boolean =>
  !entries.has('admin') && (entries.has('port') || !entries.has('listeners'))

function addressOf(listen: SourceNode | undefined): { host: string; port: number } | null {
  try {
    const { host, port } = parseListenAddress(String(plain(listen)), { anyPort: true })
    return { host, port }
  } catch {
    return null
  }
}
