// What no single value can tell: whether the parts of a configuration fit each other.

import { dirname, resolve } from 'node:path'
import { closest } from '../util/edit-distance.ts'
import { type Binding, formatListenAddress, isLoopback, isPort, overlaps } from './listen-address.ts'
import { commandLine } from './overrides.ts'
import { implicitPool } from './pool-kind.ts'
import { type Problem, problemAt, show } from './problem.ts'
import type { LongForm } from './schema/file.ts'
import type { WrittenPool } from './schema/pool.ts'
import { nearest, nodeAt, type Origin, type Path, type SourceNode } from './source-tree.ts'

/** What shared memory has room for. */
const maxPools = 1024
const maxBackends = 16_384
const maxAffinityTables = 8

const nameServers = 'name the servers, like "backends": ["http://localhost:3000"]'

export interface CheckOptions {
  /** Whether a listener may ask for port 0; the command line always may. */
  readonly allowAnyPort: boolean
  /** The configuration file; null without one. */
  readonly path: string | null
}

interface Check {
  readonly config: LongForm
  readonly options: CheckOptions
  readonly tree: SourceNode
  report(path: Path, message: string, hint?: string, options?: { value?: unknown; atKey?: boolean }): void
  origin(path: Path): Origin
}

/** Every problem between the parts; `tree` is the expanded one, for places. */
export function crossCheck(config: LongForm, tree: SourceNode, options: CheckOptions): Problem[] {
  const problems: Problem[] = []
  const check: Check = {
    config,
    options,
    tree,
    origin: (path) => nearest(tree, path).node.origin,
    report(path, message, hint, more = {}) {
      const { node, missing } = nearest(tree, path)
      problems.push(problemAt(node.origin, { message, hint: hint ?? null, missing, ...more }))
    },
  }
  checkAddresses(check)
  checkAdmin(check)
  checkListeners(check)
  checkRoom(check)
  checkFiles(check)
  for (const [name, pool] of Object.entries(config.pools)) checkPool(check, name, pool)
  return problems
}

function checkAddresses({ config, options, report, origin }: Check): void {
  const taken: (Binding & { path: Path; what: string })[] = []
  const addresses: typeof taken = config.listeners.map((l, i) => ({
    ...l,
    path: ['listeners', i, 'listen'],
    what: l.name === 'default' ? 'the port of the proxy' : `the port of listener "${l.name}"`,
  }))
  if (config.admin !== null) {
    addresses.push({
      path: ['admin', 'listen'],
      host: config.admin.host,
      port: config.admin.port,
      what: 'the port of the admin API',
    })
  }
  for (const address of addresses) {
    if (isPort(address) && address.port === 0 && !options.allowAnyPort && origin(address.path).source !== commandLine) {
      report(address.path, `${show(formatListenAddress(address))} has no valid port`, 'use 1 to 65535', { value: 0 })
    }
    const other = taken.find((earlier) => overlaps(earlier, address))
    if (other === undefined) {
      taken.push(address)
      continue
    }
    // A default gives way in the message to what was written.
    const written = isRoot(origin(address.path)) && !isRoot(origin(other.path))
    const [blamed, rival] = written ? [other, address] : [address, other]
    const long = origin(blamed.path).path.at(-1) === 'listen'
    const shown = long ? show(formatListenAddress(blamed)) : String(blamed.port)
    const already = written ? 'is' : 'is already'
    const hint = written ? 'choose another, or set admin_port' : 'choose another'
    report(blamed.path, `${shown} ${already} ${rival.what}${written ? ' by default' : ''}`, hint, {
      value: blamed.port,
    })
  }
}

const isRoot = (origin: Origin): boolean => origin.path.length === 0

function checkAdmin({ config: { admin }, report }: Check): void {
  if (admin === null || admin.token !== null || isLoopback(admin.host)) return
  const where = admin.host === '' ? 'all interfaces' : admin.host
  report(['admin', 'listen'], `the admin API on ${where} needs a token`, 'set admin.token, or listen on 127.0.0.1', {
    value: formatListenAddress(admin),
  })
}

function checkListeners({ config, report }: Check): void {
  const names = new Map<string, number>()
  config.listeners.forEach((listener, i) => {
    const first = names.get(listener.name)
    if (first !== undefined)
      report(
        ['listeners', i, 'name'],
        `"${listener.name}" is already the name of listeners[${first}]`,
        'choose another',
      )
    else names.set(listener.name, i)
    if (listener.protocol === 'tls-passthrough') return
    if (listener.pool === null || Object.hasOwn(config.pools, listener.pool)) return
    const guess = closest(listener.pool, Object.keys(config.pools))
    const known = Object.keys(config.pools)
      .map((name) => `"${name}"`)
      .join(', ')
    const hint =
      guess !== null ? `did you mean "${guess}"?` : known === '' ? 'define it in pools' : `the pools are ${known}`
    report(['listeners', i, 'pool'], `there is no pool "${listener.pool}"`, hint, { value: listener.pool })
  })
  if (config.listeners.length === 0) report(['listeners'], 'needs at least one listener', 'or remove it for port 8080')
  if (Object.keys(config.pools).length === 0) {
    report(['backends'], 'is needed but missing', nameServers)
  } else if (implicitPool(config.pools) === null) {
    config.listeners.forEach((listener, i) => {
      if (listener.pool !== null || listener.protocol === 'tls-passthrough' || listener.redirectHttpsPort > 0) return
      report(['listeners', i, 'pool'], 'is needed: there are several pools and none is named "default"', 'name one')
    })
  }
}

function checkRoom({ config, report }: Check): void {
  const pools = Object.values(config.pools)
  if (pools.length > maxPools) report(['pools'], `has ${pools.length} pools`, `at most ${maxPools} are possible`)
  const count = pools.reduce((sum, pool) => sum + pool.backends.length, 0)
  if (count > maxBackends) report(['pools'], `has ${count} backends in all`, `at most ${maxBackends} are possible`)
  const tables = pools.filter((pool) => pool.sticky !== null && pool.sticky.by !== 'cookie').length
  if (tables > maxAffinityTables) {
    report(
      ['pools'],
      `has ${tables} pools that are sticky by ip or header`,
      `at most ${maxAffinityTables} are possible`,
    )
  }
}

/** A state file in another's place would move that file aside, or be written into. */
function checkFiles({ config, options, report }: Check): void {
  const { access } = config.logging
  const folder = options.path === null ? process.cwd() : dirname(resolve(options.path))
  const at = (name: string | null | undefined): string | null => (name == null ? null : resolve(folder, name))
  const state = at(config.state_file)
  const log = at(access?.file)
  const own = options.path === null ? null : resolve(options.path)
  const hint = 'name another file'
  if (own !== null && state === own) {
    report(['state_file'], `${show(config.state_file)} is this configuration file`, hint)
  }
  if (log === null) return
  const path: Path = ['logging', 'access', 'file']
  if (log === own) report(path, `${show(access?.file)} is this configuration file`, hint)
  else if (log === state) report(path, `${show(access?.file)} is the state file`, hint)
}

function checkPool({ tree, report }: Check, name: string, pool: WrittenPool): void {
  const path: Path = ['pools', name]
  if (pool.backends.length === 0) {
    report(
      [...path, 'backends'],
      'is needed but missing',
      name === 'default' ? nameServers : `give pool "${name}" at least one backend`,
    )
  }
  const seen = new Map<string, number>()
  pool.backends.forEach((backend, i) => {
    const first = seen.get(backend.url)
    if (first === undefined) seen.set(backend.url, i)
    else
      report(
        [...path, 'backends', i],
        `${backend.url} is already backends[${first}]`,
        'remove one; for a greater share give it a weight',
        { value: backend.url },
      )
  })
  const hashKey = nodeAt(tree, [...path, 'hash_key'])
  if (hashKey !== undefined && pool.strategy !== 'hash') {
    report(
      [...path, 'hash_key'],
      `is for the strategy "hash", but the strategy is "${pool.strategy}"`,
      'change one of the two',
    )
  }
}
