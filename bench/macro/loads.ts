// The loads that need only a proxy and a length: what the scenarios of that kind measure, and what the profiler runs.
import { service } from './gateway.ts'
import { type LoadResult, runHandshakes, runPace, runWrk } from './load-tools.ts'
import type { Front } from './rivals.ts'

/** A proxy that runs. */
export interface Instance {
  readonly port: number
  readonly pid: number
}

/** Cores in taskset's form. */
export interface Cpus {
  readonly load: string
  readonly proxy: string
  /** For two workers; shares a core with the load where there are only two. */
  readonly pair: string
}

/** A closed loop: as many requests as the proxy answers, `connections` at once. */
export interface Load {
  readonly path: string
  readonly front: Front
  /** A new connection for each request. */
  readonly closeEach?: boolean
  /** With TLS and `closeEach`: whether a connection offers a session ticket of an earlier one. wrk always does. */
  readonly handshake?: 'full' | 'resumed'
  /** Each request is for a path of its own: this one and a number that no other request had. */
  readonly unique?: boolean
  /** Size of the cache it is meant for; default as stage.ts says. */
  readonly cacheMiB?: number
}

export const connections = 64

/** By the name of their scenario. */
export const loads = {
  small: { path: '/small', front: 'http' },
  '64k': { path: '/64k', front: 'http' },
  '1m': { path: '/1m', front: 'http' },
  connect: { path: '/small', front: 'http', closeEach: true },
  'tcp-small': { path: '/small', front: 'tcp' },
  'tcp-1m': { path: '/1m', front: 'tcp' },
  routes: { path: `/${service}/small`, front: 'routes' },
  'tls-small': { path: '/small', front: 'tls' },
  'tls-1m': { path: '/1m', front: 'tls' },
  'tls-handshake': { path: '/small', front: 'tls', closeEach: true, handshake: 'full' },
  'cache-small': { path: '/cached/small', front: 'cache' },
  'cache-64k': { path: '/cached/64k', front: 'cache' },
  'cache-1m': { path: '/cached/1m', front: 'cache' },
  // So small that the warm-up fills it: what is measured throws out as much as it stores.
  'cache-miss': { path: '/unique/small/', front: 'cache', unique: true, cacheMiB: 32 },
  'cache-miss-64k': { path: '/unique/64k/', front: 'cache', unique: true, cacheMiB: 32 },
  'cache-pass': { path: '/private/small', front: 'cache', cacheMiB: 32 },
  'tls-resumed': { path: '/small', front: 'tls', closeEach: true, handshake: 'resumed' },
} as const satisfies Readonly<Record<string, Load>>

export type LoadName = keyof typeof loads

/** Runs a load against an instance. */
export function applyLoad(instance: Instance, load: Load, cpus: Cpus, seconds: number): Promise<LoadResult> {
  const common = { port: instance.port, path: load.path, cpus: cpus.load, seconds, connections }
  if (load.handshake !== undefined) return runHandshakes({ ...common, resume: load.handshake === 'resumed' })
  if (load.unique) return runPace({ ...common, paths: { kind: 'unique' } })
  return runWrk({ ...common, secure: load.front === 'tls', closeEach: load.closeEach === true })
}
