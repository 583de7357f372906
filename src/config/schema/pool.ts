// A pool: its backends and everything about how they are chosen and spoken to.
import { z } from 'zod'
import type { PluginRef } from '../../core/route-spec.ts'
import type { HashKey, KeepaliveSpec, StrategyName } from '../../core/spec.ts'
import { backend } from './backend.ts'
import { backendTls } from './backend-tls.ts'
import { healthCheck, passiveHealth } from './health.ts'
import { retries, timeoutDefaults, timeouts } from './patience.ts'
import { functionName, pluginRef } from './route/plugin-ref.ts'
import { duration, fieldName, parsing, whole } from './scalars.ts'
import { sticky } from './sticky.ts'

/** Every name that `strategy` takes; the last is an alias. */
export const strategyNames = [
  'round-robin',
  'least-conn',
  'power-of-two',
  'least-time',
  'random',
  'first',
  'ip-hash',
  'hash',
  'least-connections',
] as const

export interface StrategyConfig {
  readonly name: StrategyName
  /** A strategy of a plug-in, in place of `name`; null = none. */
  readonly custom: PluginRef | null
}

const ownStrategy = (custom: PluginRef): StrategyConfig => ({ name: 'round-robin', custom })
const knownStrategy = z
  .enum(strategyNames)
  .transform((name): StrategyConfig => ({ name: name === 'least-connections' ? 'least-conn' : name, custom: null }))

export const strategy = z
  .union([
    knownStrategy,
    // What stands for a function of a TypeScript configuration.
    functionName.transform((name) => ownStrategy({ name, options: {} })),
    z
      .strictObject({ custom: pluginRef.meta({ description: 'Strategy of a plug-in.' }) })
      .transform(({ custom }) => ownStrategy(custom)),
  ])
  .meta({ title: `${strategyNames.slice(0, -1).join(' | ')} | {"custom": …}` })

export const poolDefaults = { strategy: 'round-robin', firstByte: timeoutDefaults.first_byte } as const

/** "uri", "path", "host", "client-ip", "header:X-User" or "cookie:user". Throws an `Error` with a sentence. */
export function parseHashKey(text: string): HashKey {
  if (text === 'uri' || text === 'path' || text === 'host' || text === 'client-ip') return { by: text }
  const match = /^(header|cookie):([!#$%&'*+\-.^_`|~0-9A-Za-z]+)$/.exec(text)
  if (match === null) {
    throw new Error(
      `${JSON.stringify(text)} cannot be hashed; use uri, path, host, client-ip, header:NAME or cookie:NAME`,
    )
  }
  if (match[1] === 'header') return { by: 'header', name: match[2]!.toLowerCase() }
  return { by: 'cookie', name: match[2]! }
}

export const backends = z
  .array(backend)
  .min(1, { error: 'needs at least one backend, such as "http://localhost:3000"' })

const keepalive = z
  .strictObject({
    max_idle: whole(0, 65_535)
      .prefault(256)
      .meta({ description: 'Idle connections kept per worker and backend; 0 = none.' }),
    idle_timeout: duration({ minMs: 1 }).prefault('60s').meta({ description: 'How long an idle connection is kept.' }),
  })
  .transform((k): KeepaliveSpec => ({ maxIdle: k.max_idle, idleTimeoutMs: k.idle_timeout }))

/** Without these a client could not tell where an answer ends. */
const framing = ['connection', 'content-length', 'transfer-encoding', 'upgrade', 'trailer']
const hiddenField = fieldName.refine((name) => !framing.includes(name), {
  error: 'is part of the framing and cannot be hidden',
})

export const poolShape = {
  strategy: strategy.prefault(poolDefaults.strategy).meta({ description: 'How a backend is chosen.' }),
  hash_key: z.string().transform(parsing(parseHashKey)).prefault('uri').meta({
    title: 'uri | path | host | client-ip | header:NAME | cookie:NAME',
    description: 'What the strategy `hash` hashes.',
  }),
  backends: backends.default([]).meta({ description: 'The servers: URLs, or objects.' }),
  sticky: sticky.nullable().default(null).meta({ description: 'Keeps a client at one backend; null = off.' }),
  health_check: healthCheck.prefault({}).meta({ description: 'Active checks.' }),
  passive_health: passiveHealth
    .prefault({})
    .meta({ description: 'What failures of live traffic do; the last available backend is never ejected.' }),
  timeouts: timeouts.prefault({}).meta({ description: 'Deadlines towards the backends; `0s` = none.' }),
  retries: retries
    .prefault({})
    .meta({ description: 'When another attempt is made. Never after the first byte to the client.' }),
  keepalive: keepalive.prefault({}).meta({ description: 'Connections to backends that wait for the next request.' }),
  host_header: z.enum(['preserve', 'backend']).prefault('preserve').meta({
    title: 'preserve | backend',
    description: 'Host field that backends see: the one of the client, or their own address.',
  }),
  hide_headers: z
    .array(hiddenField)
    .prefault(['server', 'x-powered-by'])
    .meta({ description: 'Response header fields of backends that clients do not see.' }),
  tls: backendTls.prefault({}).meta({ description: 'How `https://` and `tls://` backends are spoken to.' }),
  send_proxy_protocol: z.enum(['v1', 'v2']).meta({ title: 'v1 | v2' }).nullable().default(null).meta({
    description:
      'A PROXY header with the address of the client begins each connection to a backend, which then serves one client connection only. Null = none.',
  }),
}

export const pool = z.strictObject(poolShape).transform((p) => ({
  strategy: p.strategy.name,
  customStrategy: p.strategy.custom,
  hashKey: p.hash_key,
  backends: p.backends,
  sticky: p.sticky,
  healthCheck: p.health_check,
  passiveHealth: p.passive_health,
  timeouts: p.timeouts,
  retries: p.retries,
  keepalive: p.keepalive,
  hostHeader: p.host_header,
  hideHeaders: p.hide_headers,
  tls: p.tls,
  sendProxyProtocol: p.send_proxy_protocol,
}))

/** As written: its kind follows from its backends and listeners. */
export type WrittenPool = z.output<typeof pool>
