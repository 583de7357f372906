// The whole program as one object: shared memory, control plane and workers, from start to the end of a drain.
import { availableParallelism } from 'node:os'
import type { LoadedConfig } from '../config/load.ts'
import { Control } from '../control/control.ts'
import type { BackendFailure, ControlPort, ReloadResult } from '../control/port.ts'
import type { LoadConfig } from '../control/reloads.ts'
import type { StatusDocument } from '../control/status.ts'
import type { Log } from '../core/log.ts'
import type { Snapshot } from '../core/spec.ts'
import { canReusePort } from '../net/acceptor.ts'
import { createSharedState } from '../state/memory.ts'
import { OwnerState } from '../state/owner-state.ts'
import { AccessSink } from './access-sink.ts'
import { Crew } from './crew.ts'
import { clientsPerWorker, descriptorLimit } from './descriptors.ts'
import { assignSockets, type Inheritance } from './inherited-sockets.ts'
import { ListenError } from './listen-error.ts'
import { reservePorts } from './reserve-ports.ts'

export { type Inheritance, takeInheritance } from './inherited-sockets.ts'
export { ListenError, type Place } from './listen-error.ts'

export interface StartOptions {
  readonly loaded: LoadedConfig
  readonly log: Log
  readonly version: string
  /** Reads the configuration again, for HUP and `POST /reload`; without it both read certificates only. */
  readonly load?: LoadConfig | null
  /** Sockets that whoever started this process has passed on; default none. */
  readonly inheritance?: Inheritance
}

/** Where a listener was bound. */
export interface BoundListener {
  readonly name: string
  /** '' = all interfaces. */
  readonly host: string
  /** 0 for Unix sockets. */
  readonly port: number
  /** Path of the Unix socket that was bound, or null. */
  readonly socketPath: string | null
  /** As configured, for inherited sockets: `host` and `port` are then those of the first, if it is a TCP socket. */
  readonly inherited: string | null
  /** Further TCP sockets that were passed under that name. */
  readonly others?: readonly { readonly host: string; readonly port: number }[]
}

/** How a stop came to its end. */
export type StopReason = 'drained' | 'grace-expired' | 'forced'

/** A running Frontdesk. */
export interface Running {
  readonly listeners: readonly BoundListener[]
  readonly admin: { readonly host: string; readonly port: number } | null
  readonly workerCount: number
  /** Shared memory, for tests and embedders that count. */
  readonly state: OwnerState
  /** Applies what can be applied; rejects with ConfigError or ControlError, and then nothing has changed. */
  reload(loaded: LoadedConfig): Promise<ReloadResult>
  /** The same with the configuration as `load` gives it; what became of it is in the log. Rejects as `reload`. */
  reloadFile(): Promise<ReloadResult>
  status(): StatusDocument
  /** After a rotation of the access log. */
  reopenLogs(): void
  /** Begins a graceful stop: readyz says 503, nothing new is accepted, what is in flight ends. Idempotent. */
  drain(): void
  /** Closes everything now. */
  force(): void
  readonly stopped: Promise<StopReason>
}

/** The log's line at the begin of a stop, whoever asked for it. */
export const drainingWords = (cause: string): string => `draining (${cause}): no new connections, those open may finish`

/**
 * Starts Frontdesk. Rejects with ListenError when an address cannot be bound, with ConfigError when the state file is
 * another configuration's or a certificate cannot be used; then nothing is left running.
 */
export async function startFrontdesk(options: StartOptions): Promise<Running> {
  const { loaded, log, version } = options
  const { config } = loaded
  const workers = workerCount(config.workers, log)
  // Connections of inherited Unix sockets cannot be handed to a worker: the main thread serves them.
  const planes = Math.max(1, config.listeners.some(({ inherited }) => inherited !== null) ? workers + 1 : workers)
  const state = new OwnerState(createSharedState({ workers: planes }))
  const failureListeners: ((failure: BackendFailure) => void)[] = []
  const { access } = config.logging
  const sink = access === null ? null : new AccessSink({ path: access.file, onProblem: problem(log) })
  const crew = new Crew({
    workers,
    state,
    log,
    maxClients: clientsPerWorker(descriptorLimit(), planes),
    onFailure: (failure) => {
      for (const listener of failureListeners) listener(failure)
    },
    onAccess: (lines) => sink?.write(lines),
  })
  const stop = new Stop(config.shutdown.graceMs, crew, async () => {
    await control.close()
    await sink?.close()
  })
  let ports = new Map<string, number>()
  const withPorts = (snapshot: Snapshot): Snapshot => ({
    ...snapshot,
    listeners: snapshot.listeners.map((spec) => ({ ...spec, port: ports.get(spec.name) ?? spec.port })),
  })
  const port: ControlPort = {
    version,
    startedAtMs: Date.now(),
    state,
    log,
    workers: () => crew.workers(),
    apply: (snapshot) => crew.apply(withPorts(snapshot)),
    setAddresses: (slot, addresses) => crew.setAddresses(slot, addresses),
    cutBackend: (slot) => crew.cutBackend(slot),
    stop: () => {
      if (!stop.begun) log.event('info', 'draining', drainingWords('admin API'), { cause: 'admin API' })
      stop.drain()
    },
    isDraining: () => stop.begun,
    onBackendFailure: (listener) => failureListeners.push(listener),
  }
  const load = options.load ?? null
  const control = await Control.create({ port, config, configPath: loaded.path, load, log }).catch(async (error) => {
    await sink?.close()
    throw loaded.locate(error)
  })
  let inherited: Awaited<ReturnType<Crew['openInherited']>>
  try {
    const { sockets, unused } = assignSockets(control.snapshot.listeners, options.inheritance ?? nothing)
    for (const { fd, name } of unused) {
      log.event('warn', 'unused_socket', `no listener asks for the socket ${name} (file descriptor ${fd})`, {
        fd,
        name,
      })
    }
    ports = await reservePorts(control.snapshot.listeners)
    await crew.start(withPorts(control.snapshot))
    inherited = await crew.openInherited(sockets)
    await control.start().catch((error: NodeJS.ErrnoException) => {
      throw error.syscall === 'listen' ? adminListenError(error, config) : error
    })
  } catch (error) {
    await crew.stop()
    await control.close()
    throw error
  }
  const listeners = control.snapshot.listeners.map(({ name, host, port, socketPath, ...spec }) => {
    const [bound, ...more] = inherited.get(name) ?? []
    const others = more.filter((address) => address !== null).map((one) => ({ host: one.address, port: one.port }))
    return {
      name,
      host: bound?.address ?? host,
      port: bound?.port ?? ports.get(name) ?? port,
      socketPath,
      inherited: spec.inherited,
      ...(others.length > 0 && { others }),
    }
  })
  return {
    listeners,
    admin: control.adminAddress(),
    workerCount: workers,
    state,
    reload: (next) => control.reload(next.config),
    reloadFile: () => control.reloadFile(),
    status: () => control.status(),
    reopenLogs: () => sink?.reopen(),
    drain: () => stop.drain(),
    force: () => stop.force(),
    stopped: stop.stopped,
  }
}

/** Where threads cannot share an address (macOS), one plane serves in the main thread. */
function workerCount(configured: number | 'auto', log: Log): number {
  const workers = configured === 'auto' ? availableParallelism() : configured
  if (workers === 0 || canReusePort) return workers
  log.event('warn', 'single_worker', `${process.platform} cannot share a port between threads: serving from one`)
  return 0
}

function adminListenError(error: NodeJS.ErrnoException, config: LoadedConfig['config']): ListenError {
  return new ListenError(error.code ?? 'EUNKNOWN', config.admin ?? { host: '', port: 0 })
}

const nothing: Inheritance = { sockets: [], refusal: '' }

function problem(log: Log): (message: string) => void {
  return (message) => log.event('error', 'access_log_failed', message)
}

/** The end of the program: drain within the time of grace, then close. */
class Stop {
  begun = false
  readonly stopped: Promise<StopReason>
  readonly #graceMs: number
  readonly #crew: Crew
  readonly #cleanUp: () => Promise<void>
  #resolve: (reason: StopReason) => void = () => {}
  #ending = false

  constructor(graceMs: number, crew: Crew, cleanUp: () => Promise<void>) {
    this.#graceMs = graceMs
    this.#crew = crew
    this.#cleanUp = cleanUp
    this.stopped = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  drain(): void {
    if (this.begun) return
    this.begun = true
    const grace = setTimeout(() => void this.#end('grace-expired'), this.#graceMs)
    void this.#crew.drain().then(() => {
      clearTimeout(grace)
      return this.#end('drained')
    })
  }

  force(): void {
    this.begun = true
    void this.#end('forced')
  }

  async #end(reason: StopReason): Promise<void> {
    if (this.#ending) return
    this.#ending = true
    await this.#crew.stop()
    await this.#cleanUp()
    this.#resolve(reason)
  }
}
