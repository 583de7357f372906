// How backends are checked where a pool does not say it: by the keys it has for one kind of check.
import { type Problem, problemAt, show } from '../problem.ts'
import { formatPath, type ObjectNode, type SourceNode, toValue } from '../source-tree.ts'
import { scalar } from './nodes.ts'

const httpOnly = ['path', 'host', 'expect']
const tcpOnly = ['send', 'receive']

/** The check without the keys that mean nothing for its method: for a method that wins over what is written. */
export function fitting(check: ObjectNode): ObjectNode {
  const method = check.entries.get('method')
  const kind = method === undefined ? undefined : toValue(method)
  const others = [...(kind === 'http' ? [] : httpOnly), ...(kind === 'tcp' ? [] : tcpOnly)]
  return { ...check, entries: new Map([...check.entries].filter(([key]) => !others.includes(key))) }
}

/** A check with a path, a host or statuses is an HTTP check; that it is said to be another is a contradiction. */
export function chooseHealthMethods(tree: ObjectNode, problems: Problem[]): ObjectNode {
  const pools = tree.entries.get('pools')
  if (pools?.kind !== 'object') return tree
  const chosen = new Map(pools.entries)
  for (const [name, pool] of pools.entries) {
    const check = pool.kind === 'object' ? pool.entries.get('health_check') : undefined
    if (pool.kind !== 'object' || check?.kind !== 'object') continue
    const health_check = withMethod(check, problems)
    chosen.set(name, { ...pool, entries: new Map(pool.entries).set('health_check', health_check) })
  }
  return { ...tree, entries: new Map(tree.entries).set('pools', { ...pools, entries: chosen }) }
}

function withMethod(check: ObjectNode, problems: Problem[]): ObjectNode {
  const first = (keys: readonly string[]) =>
    keys.map((key) => check.entries.get(key)).find((node) => node !== undefined)
  const byHttp = first(httpOnly)
  const byTcp = first(tcpOnly)
  const written = check.entries.get('method')
  const method = written ?? (byHttp && scalar(byHttp, 'http'))
  if (method === undefined) return check
  const refuse = (reason: SourceNode | undefined, kind: 'http' | 'tcp'): void => {
    if (reason === undefined || toValue(method) === kind) return
    const is = written === undefined ? `"${byHttp!.origin.path.at(-1)}" makes this an HTTP check` : said(written)
    const hint = written === undefined ? 'remove one of the two' : `make that "${kind}", or remove this`
    const message = `is for ${kind.toUpperCase()} checks, but ${is}`
    problems.push(problemAt(reason.origin, { message, hint, value: toValue(reason) }))
  }
  refuse(byHttp, 'http')
  refuse(byTcp, 'tcp')
  return { ...check, entries: new Map(check.entries).set('method', method) }
}

const said = (method: SourceNode): string => `${formatPath(method.origin.path)} is ${show(toValue(method))}`
