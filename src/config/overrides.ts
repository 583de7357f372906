// What the command line or an embedding program says; it wins over the file.
import { fitting } from './expand/health-method.ts'
import { poolPlaces } from './expand.ts'
import { formatListenAddress, parseListenAddress } from './listen-address.ts'
import { type Problem, problemAt } from './problem.ts'
import { fromValue, nodeAt, type ObjectNode, type Path, type Source, type SourceNode, toValue } from './source-tree.ts'

/** Flat keys, as in a file. Ports may be 0: any free port. Pool keys go to the pool `default`, or the only one. */
export interface FlatOverrides {
  readonly port?: number
  readonly admin_port?: number
  readonly workers?: 'auto' | number
  readonly strategy?: string
  readonly backends?: readonly (string | { readonly url: string; readonly weight?: number })[]
  readonly sticky?: unknown
  readonly health_check_frequency?: string | number
  readonly health_check_method?: string
  readonly health_check_path?: string
  readonly backend_timeout?: string | number
}

/** Stands for the file in the problems of overrides. */
export const commandLine: Source = { name: 'command line', text: '' }

/** The expanded tree with the overrides in their places. */
export function applyOverrides(root: ObjectNode, overrides: FlatOverrides, problems: Problem[]): ObjectNode {
  let tree = root
  for (const [key, value] of Object.entries(overrides)) {
    if (value === undefined) continue
    const node = fromValue(value, commandLine, [key])
    if (key === 'port') tree = withPort(tree, node, problems)
    else if (key === 'admin_port') tree = withAdminPort(tree, node)
    else if (Object.hasOwn(poolPlaces, key)) {
      const place = ['pools', onlyKey(tree), ...poolPlaces[key as keyof typeof poolPlaces]]
      tree = set(tree, place, node) as ObjectNode
      const check = nodeAt(tree, place.slice(0, -1))
      if (key === 'health_check_method' && check?.kind === 'object') {
        tree = set(tree, place.slice(0, -1), fitting(check)) as ObjectNode
      }
    } else tree = set(tree, [key], node) as ObjectNode
  }
  return tree
}

function withPort(tree: ObjectNode, port: SourceNode, problems: Problem[]): ObjectNode {
  const list = tree.entries.get('listeners')
  const items = list?.kind === 'array' ? list.items : []
  const named = items.findIndex((item) => toValue(nodeAt(item, ['name']) ?? item) === 'default')
  const index = named === -1 && items.length === 1 ? 0 : named
  const listener = items[index]
  if (list?.kind !== 'array' || listener === undefined) {
    const message = 'cannot tell which listener is meant: there are several, and none is named "default"'
    problems.push(problemAt(port.origin, { message, hint: 'change the port in the file' }))
    return tree
  }
  const changed = set(listener, ['listen'], withNewPort(nodeAt(listener, ['listen']), '', port))
  return set(tree, ['listeners'], { ...list, items: items.with(index, changed) }) as ObjectNode
}

function withAdminPort(tree: ObjectNode, port: SourceNode): ObjectNode {
  const listen = withNewPort(nodeAt(tree, ['admin', 'listen']), '127.0.0.1', port)
  return set(tree, ['admin', 'listen'], listen) as ObjectNode
}

function withNewPort(listen: SourceNode | undefined, defaultHost: string, port: SourceNode): SourceNode {
  let host = defaultHost
  try {
    if (listen !== undefined) host = parseListenAddress(String(toValue(listen)), { anyPort: true }).host
  } catch {
    // The address in the file is reported at its own place.
  }
  return { kind: 'scalar', origin: port.origin, value: formatListenAddress({ host, port: Number(toValue(port)) }) }
}

function onlyKey(tree: ObjectNode): string {
  const pools = tree.entries.get('pools')
  const names = pools?.kind === 'object' ? [...pools.entries.keys()] : []
  return names.includes('default') || names.length !== 1 ? 'default' : names[0]!
}

/** `into` with `node` at `path`; objects on the way are made, and anything else on the way gives way to one. */
function set(into: SourceNode | undefined, path: Path, node: SourceNode): SourceNode {
  const [step, ...rest] = path
  if (step === undefined) return node
  const object: ObjectNode =
    into?.kind === 'object' ? into : { kind: 'object', origin: { ...node.origin, path: [] }, entries: new Map() }
  return {
    ...object,
    entries: new Map(object.entries).set(String(step), set(object.entries.get(String(step)), rest, node)),
  }
}
