// Starts Frontdesk inside the test's own process, on free ports, in front of the backends a test names.
import { loadConfig } from '../../src/config/load.ts'
import { type Log, silentLog } from '../../src/core/log.ts'
import { type Inheritance, type Running, startFrontdesk } from '../../src/supervisor/frontdesk.ts'
import { expectIdle } from './leaks.ts'

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined }
type Keys = { readonly [key: string]: Json | undefined }

/** A backend as configuration files write it. */
export type BackendEntry = string | (Keys & { readonly url: string })

/** Keys as in a configuration file; what is not given here has the product's own default. */
export interface ProxyOptions {
  /** Keys of the one pool. Health checks are off unless named here. */
  readonly pool?: Keys
  readonly limits?: Keys
  /** Other top-level keys. */
  readonly config?: Keys
  /** 0, the data plane in the test's own thread, unless said otherwise. */
  readonly workers?: number
  /** Starts the admin API on a free port. */
  readonly admin?: boolean
  /** Listens where `config` says, as after a change of the configuration; otherwise on any free ports. */
  readonly ownPorts?: boolean
  readonly log?: Log
  readonly inheritance?: Inheritance
}

/** A running proxy. */
export interface TestProxy {
  readonly port: number
  readonly url: string
  /** Port of the admin API; 0 without one. */
  readonly adminPort: number
  readonly running: Running
  /** Everything that must come to 0 when no client is there any more. */
  active(): Record<string, number>
  /** Stops at once; fails if something is still counted as active although the clients are gone. */
  close(): Promise<void>
}

const ANY_PORT = '127.0.0.1:1'

/** Starts a proxy with one listener and one pool. */
export async function startProxy(backends: readonly BackendEntry[], options: ProxyOptions = {}): Promise<TestProxy> {
  const loaded = loadConfig({ text: JSON.stringify(document(backends, options)) })
  // A file cannot ask for "any free port"; a test has to.
  const { config } = loaded
  const free = options.ownPorts === true ? {} : { port: 0 }
  const listeners = config.listeners.map((listener) => ({ ...listener, ...free }))
  const admin = config.admin === null ? null : { ...config.admin, ...free }
  const running = await startFrontdesk({
    loaded: { ...loaded, config: { ...config, listeners, admin } },
    log: options.log ?? silentLog,
    version: '0.0.0-test',
    ...(options.inheritance && { inheritance: options.inheritance }),
  })
  const port = running.listeners[0]?.port ?? 0
  const active = (): Record<string, number> =>
    Object.fromEntries(
      running.status().backends.map((backend) => [`active of ${backend.url}`, backend.current_connections]),
    )
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    adminPort: running.admin?.port ?? 0,
    running,
    active,
    close: () => expectIdle(active).finally(() => stop(running)),
  }
}

function document(backends: readonly BackendEntry[], { pool, limits, config, workers, admin }: ProxyOptions): Keys {
  return {
    listeners: [{ name: 'test', listen: ANY_PORT }],
    pools: { default: { backends, health_check: { method: 'none' }, ...pool } },
    workers: workers ?? 0,
    limits: limits ?? {},
    state_file: null,
    ...(admin === true && { admin: { listen: ANY_PORT.replace(':1', ':2') } }),
    ...config,
  }
}

async function stop(running: Running): Promise<void> {
  running.force()
  await running.stopped
}
