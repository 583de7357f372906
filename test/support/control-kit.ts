// Small things for tests of the control plane: specs with sensible values, a log that remembers, bare listeners.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { Log, LogLevel } from '../../src/core/log.ts'
import type { BackendSpec, HealthCheckSpec, PoolSpec, Slot } from '../../src/core/spec.ts'
import { until } from './wait.ts'

export interface LoggedEvent {
  readonly level: LogLevel
  readonly name: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Remembers every event. */
export class MemoryLog implements Log {
  readonly events: LoggedEvent[] = []
  event(level: LogLevel, name: string, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.events.push({ level, name, message, fields })
  }
  named(name: string): LoggedEvent[] {
    return this.events.filter((event) => event.name === name)
  }
  /** Resolves with the nth event (from 1) of that name. */
  async waitFor(name: string, count = 1): Promise<LoggedEvent> {
    await until(`${count} log events ${name}`, () => this.named(name).length >= count)
    return this.named(name)[count - 1]!
  }
}

export function backendSpec(slot: Slot, port: number, over: Partial<BackendSpec> = {}): BackendSpec {
  const host = over.host ?? '127.0.0.1'
  return {
    slot,
    pool: 'default',
    url: `${over.protocol ?? 'http'}://${host}:${port}`,
    protocol: 'http',
    host,
    port,
    socketPath: null,
    basePath: '',
    authority: `${host}:${port}`,
    weight: 1,
    maxConnections: 0,
    backup: false,
    ...over,
  }
}

export function checkSpec(over: Partial<HealthCheckSpec> = {}): HealthCheckSpec {
  return {
    method: 'tcp',
    path: '/',
    host: null,
    expectFrom: 200,
    expectTo: 399,
    intervalMs: 30_000,
    timeoutMs: 1_000,
    rise: 1,
    fall: 2,
    ...over,
  }
}

export function poolSpec(backends: readonly BackendSpec[], over: Partial<PoolSpec> = {}): PoolSpec {
  return {
    name: 'default',
    cursor: 0,
    strategy: 'round-robin',
    hashKey: { by: 'uri' },
    sticky: null,
    backends,
    healthCheck: checkSpec(),
    passiveHealth: { maxFails: 5, windowMs: 10_000, ejectMs: 30_000 },
    timeouts: { connectMs: 5000, firstByteMs: 10_000, idleMs: 60_000, totalMs: 0 },
    retries: { attempts: 2, onConnect: true, onReset: true, onStatus: [], budgetRatio: 0.2, budgetMin: 3 },
    keepalive: { maxIdle: 256, idleTimeoutMs: 60_000 },
    hostHeader: 'preserve',
    hideHeaders: [],
    ...over,
  }
}

/** A listener that accepts and says nothing; it counts what it accepted. */
export class SilentListener {
  readonly server: Server
  accepted = 0
  open = 0
  mostOpen = 0
  private constructor() {
    this.server = createServer((socket) => {
      this.accepted += 1
      this.mostOpen = Math.max(this.mostOpen, (this.open += 1))
      socket.on('error', () => {}).on('close', () => (this.open -= 1))
      socket.resume()
    })
  }
  static async start(port = 0, host = '127.0.0.1'): Promise<SilentListener> {
    const listener = new SilentListener()
    listener.server.listen(port, host)
    await once(listener.server, 'listening')
    return listener
  }
  get port(): number {
    return (this.server.address() as AddressInfo).port
  }
  async stop(): Promise<void> {
    this.server.close()
    await once(this.server, 'close')
  }
}
