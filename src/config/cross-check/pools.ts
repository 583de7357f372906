// Pools: each backend once and of one kind, and only keys that mean something for that kind.
import { strategies } from '../../balancer/table.ts'
import { commandLine } from '../overrides.ts'
import { httpAlpn, kindProblem } from '../pool-kind.ts'
import { show } from '../problem.ts'
import type { WrittenPool } from '../schema/pool.ts'
import { nodeAt, type Path, toValue } from '../source-tree.ts'
import type { Check } from './check.ts'
import { nameServers } from './kinds.ts'

export function checkPool(check: Check, name: string, pool: WrittenPool): void {
  const { tree, report, kinds, options } = check
  const path: Path = ['pools', name]
  if (pool.backends.length === 0 && !options.empty.has(name)) {
    const hint = name === 'default' ? nameServers : `give pool "${name}" at least one backend`
    report([...path, 'backends'], 'is needed but missing', hint)
  }
  checkBackends(check, name, pool)
  checkIdentity(check, path, pool)
  const hashKey = nodeAt(tree, [...path, 'hash_key'])
  if (hashKey !== undefined && pool.strategy !== 'hash') {
    const message = `is for the strategy "hash", but the strategy is "${pool.strategy}"`
    report([...path, 'hash_key'], message, 'change one of the two')
  }
  if (kinds.get(name)!.kind === 'tcp') checkTcpPool(check, name, pool)
  else checkHttpPool(check, path, pool)
}

function checkBackends({ report, kinds }: Check, name: string, pool: WrittenPool): void {
  const seen = new Map<string, number>()
  const { kind, words } = kinds.get(name)!
  pool.backends.forEach(({ url }, i) => {
    const path: Path = ['pools', name, 'backends', i]
    const first = seen.get(url)
    if (first === undefined) seen.set(url, i)
    else {
      const hint = 'remove one; for a greater share give it a weight'
      report(path, `${url} is already backends[${first}]`, hint, { value: url })
    }
    if (kindProblem({ name, kind }, url) === null) return
    const message = `${url} cannot stand here: "${name}" is ${words}`
    report(path, message, 'a pool has backends of one kind; move it to another', { value: url })
  })
}

function checkHttpPool({ report }: Check, path: Path, pool: WrittenPool): void {
  pool.tls.alpn?.forEach((protocol, i) => {
    if (protocol === httpAlpn) return
    report([...path, 'tls', 'alpn', i], `"${protocol}" is not spoken to backends`, `use "${httpAlpn}"`, {
      value: protocol,
    })
  })
}

const silence = 'remove it; "idle_timeout" of the listener is for silent connections'

/** Keys of HTTP pools, and what to do with them in a TCP pool. */
const httpKeys: readonly (readonly [path: Path, hint: string])[] = [
  [['keepalive'], 'remove it'],
  [['host_header'], 'remove it'],
  [['hide_headers'], 'remove it'],
  [['timeouts', 'first_byte'], silence],
  [['timeouts', 'idle'], silence],
  [['timeouts', 'tunnel'], silence],
  [['timeouts', 'total'], 'remove it'],
]

function checkTcpPool(check: Check, name: string, pool: WrittenPool): void {
  const { tree, kinds, report } = check
  const path: Path = ['pools', name]
  const { words } = kinds.get(name)!
  const but = `is for HTTP pools, but "${name}" is ${words}`
  for (const [key, hint] of httpKeys) {
    if (nodeAt(tree, [...path, ...key]) !== undefined) report([...path, ...key], but, hint, { atKey: true })
  }
  checkChoice(check, path, pool, `of which there is none in ${words}`)
  if (pool.healthCheck?.method === 'http') {
    const hint = 'use "tcp"; with "send" and "receive" it asks for more than a connection'
    report([...path, 'health_check', 'method'], `an HTTP check ${but}`, hint)
  }
  const causes = nodeAt(tree, [...path, 'retries', 'on'])
  if (causes?.kind !== 'array') return
  causes.items.forEach((item, i) => {
    const cause = toValue(item)
    if (cause === 'connect') return
    const hint = 'over TCP only a failed connection can be tried again: "connect"'
    report([...path, 'retries', 'on', i], `${show(cause)} ${but}`, hint, { value: cause })
  })
}

/** Strategies and sticky clients that look at a request, where there is none. */
function checkChoice({ tree, report, origin }: Check, path: Path, pool: WrittenPool, because: string): void {
  const key = nodeAt(tree, [...path, 'hash_key'])
  if (strategies[pool.strategy].needs === 'request' && pool.hashKey.by !== 'client-ip') {
    const at = key === undefined ? 'strategy' : 'hash_key'
    const what = key === undefined ? `"${pool.strategy}" hashes` : `${show(toValue(key))} is`
    // The command line has no option for the key.
    const other = origin([...path, at]).source === commandLine ? '' : ', or "hash_key": "client-ip"'
    report([...path, at], `${what} a part of the request, ${because}`, `use "ip-hash"${other}`)
  }
  if (pool.sticky === null || pool.sticky.by === 'ip') return
  const { by } = pool.sticky
  report([...path, 'sticky', 'by'], `"${by}" is a part of the request, ${because}`, 'use "ip"', { value: by })
}

/** Both halves, or neither; here rather than in the schema, so that another mistake beside it does not hide it. */
function checkIdentity({ report }: Check, path: Path, { tls }: WrittenPool): void {
  const { cert, key } = tls
  if (cert !== null && key === null) {
    const hint = 'a certificate is of no use without its private key: name that file'
    report([...path, 'tls', 'key'], 'is needed but missing', hint)
  } else if (cert === null && key !== null) {
    const hint = 'name the file of the certificate that the key belongs to'
    report([...path, 'tls', 'cert'], 'is needed but missing', hint)
  }
}
