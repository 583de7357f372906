// What systemd is told of a service with Type=notify: ready, reloading, stopping, alive. Node has no datagram sockets for
// Unix paths, so systemd's own program sends the messages; it runs some times in the life of a process.
import { spawn } from 'node:child_process'
import type { EventSink } from '../control/events.ts'
import type { Log } from '../core/log.ts'
import type { Running } from '../supervisor/frontdesk.ts'

const program = 'systemd-notify'
/** One that hangs must not hold up those after it. */
const SEND_TIMEOUT_MS = 10_000

export interface ServiceManagerOptions {
  /** NOTIFY_SOCKET and the like are taken from it: what this process starts is not the service. */
  readonly env: NodeJS.ProcessEnv
  /** Numbers that WATCHDOG_PID may have: this process's and that of the launcher that started it. */
  readonly pids: readonly number[]
  readonly log: Log
  /** Default: `systemd-notify` with these assignments. */
  readonly send?: (assignments: readonly string[]) => Promise<void>
}

export class ServiceManager implements EventSink {
  readonly #send: ((assignments: readonly string[]) => Promise<void>) | null
  readonly #log: Log
  readonly #watchdogMs: number
  #last: Promise<void> = Promise.resolve()
  #watchdog: NodeJS.Timeout | null = null
  #state: 'starting' | 'ready' | 'stopping' = 'starting'
  #failed = false

  constructor({ env, pids, log, send }: ServiceManagerOptions) {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = env
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name]
    const isMeant = socket !== undefined && socket !== ''
    this.#log = log
    this.#send = isMeant ? (send ?? sender({ ...env, NOTIFY_SOCKET: socket })) : null
    const isOurs = pid === undefined || pids.some((own) => String(own) === pid)
    this.#watchdogMs = isMeant && isOurs && /^[1-9]\d{0,15}$/.test(usec ?? '') ? Number(usec) / 1000 : 0
  }

  /** Somebody listens. */
  get isThere(): boolean {
    return this.#send !== null
  }

  /** All that was said has been sent. */
  get sent(): Promise<void> {
    return this.#last
  }

  /** Listeners are open. `status`: one line for `systemctl status`. */
  ready(status: string): void {
    if (this.#state === 'stopping') return
    this.#state = 'ready'
    this.#tell('READY=1', `STATUS=${status}`)
    if (this.#watchdogMs === 0 || this.#watchdog !== null) return
    // Half the time is the rule (sd_watchdog_enabled(3)); a main thread that hangs sends nothing.
    this.#watchdog = setInterval(() => this.#tell('WATCHDOG=1'), this.#watchdogMs / 2)
    this.#watchdog.unref()
  }

  /** Until `ready` is called again. */
  reloading(): void {
    if (this.#state !== 'ready') return
    // Nanoseconds are what `hrtime` has of the clock that systemd means; Type=notify-reload wants it, others do not mind.
    this.#tell(
      'RELOADING=1',
      `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`,
      'STATUS=reading the configuration again',
    )
  }

  stopping(): void {
    if (this.#state === 'stopping') return
    this.#state = 'stopping'
    this.#tell('STOPPING=1', 'STATUS=draining: no new connections, those open may finish')
  }

  emit(event: Parameters<EventSink['emit']>[0]): void {
    if (event.type === 'draining') this.stopping()
  }

  #tell(...assignments: string[]): void {
    const send = this.#send
    if (send === null) return
    this.#last = this.#last.then(() => send(assignments)).catch((error: NodeJS.ErrnoException) => this.#tellOnce(error))
  }

  #tellOnce(error: NodeJS.ErrnoException): void {
    if (this.#failed) return
    this.#failed = true
    const why = error.code === 'ENOENT' ? `there is no ${program}` : error.message
    const message = `systemd cannot be told that the service is ready (${why}): with Type=notify it will give up waiting`
    this.#log.event('error', 'service_manager_not_told', message)
  }
}

/** For `systemctl status`: `serving on web :80, webs :443; admin 127.0.0.1:8081`. */
export function servingWords({ listeners, admin }: Pick<Running, 'listeners' | 'admin'>): string {
  const places = listeners.map(({ name, host, port, socketPath, inherited }) => {
    if (socketPath !== null) return `${name} ${socketPath}`
    return port === 0 ? `${name} ${inherited}` : `${name} ${bracketed(host)}:${port}`
  })
  const api = admin === null ? '' : `; admin ${bracketed(admin.host)}:${admin.port}`
  return `serving on ${places.join(', ')}${api}`
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)

function sender(env: NodeJS.ProcessEnv): (assignments: readonly string[]) => Promise<void> {
  return (assignments) =>
    new Promise((resolve, reject) => {
      const stdio = ['ignore', 'ignore', 'pipe'] as const
      const child = spawn(program, assignments, { env, stdio: [...stdio], timeout: SEND_TIMEOUT_MS })
      let said = ''
      child.stderr?.on('data', (piece: Buffer) => (said += piece.toString()))
      child.on('error', reject)
      child.on('close', (code, signal) => {
        if (code === 0) resolve()
        else reject(new Error(`${program}: ${said.trim() || (signal ?? `exit code ${code}`)}`))
      })
    })
}
