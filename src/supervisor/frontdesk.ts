// The whole program as one object: shared memory, control plane and workers, from start to the end of a drain.
import { availableParallelism } from 'node:os'
import type { LoadedConfig } from '../config/load.ts'
import type { Backends } from '../control/backends.ts'
import { Control } from '../control/control.ts'
import { EventRing } from '../control/event-ring.ts'
import { type EventSink, eachOf, noEvents, type StopReason, tellProblems } from '../control/events.ts'
import type { BackendFailure, ControlPort, ReloadResult } from '../control/port.ts'
import type { LoadConfig } from '../control/reloads.ts'
import type { StatusDocument } from '../control/status.ts'
import type { Log } from '../core/log.ts'
import type { Snapshot } from '../core/spec.ts'
import { canReusePort } from '../net/acceptor.ts'
import type { Arrival } from '../net/arrival.ts'
import type { EndedEntry } from '../observe/exchange-tap.ts'
import { createSharedState } from '../state/memory.ts'
import { OwnerState } from '../state/owner-state.ts'
import type { BoundListener } from './bound-listener.ts'
import { Crew } from './crew.ts'
import { clientsPerWorker, descriptorLimit } from './descriptors.ts'
import { assignSockets, type Inheritance } from './inherited-sockets.ts'
import { ListenError } from './listen-error.ts'
import { Outlets } from './outlets.ts'
import { reservePorts } from './reserve-ports.ts'

export type { StopReason } from '../control/events.ts'
export type { BoundListener } from './bound-listener.ts'
export { type Inheritance, takeInheritance } from './inherited-sockets.ts'
export { ListenError, type Place } from './listen-error.ts'

export interface StartOptions {
  readonly loaded: LoadedConfig
  readonly log: Log
  /** Told of what happens; default: nobody is. */
  readonly events?: EventSink
  readonly version: string
  /** Reads the configuration again, for HUP and `POST /reload`; without it both read certificates only. */
  readonly load?: LoadConfig | null
  /** Told of every exchange that the main thread has served, when it has ended; then no access log is written. */
  readonly onExchange?: ((entry: EndedEntry) => void) | undefined
  /** Sockets that whoever started this process has passed on; default none. */
  readonly inheritance?: Inheritance
  /** False = no listener is bound: whoever embeds it brings connections by `serve`, to the main thread. Default true. */
  readonly bind?: boolean
}

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
  readonly backends: Backends
  /** Serves a connection of that listener in the main thread. False = a limit, or a stop, turns it away. */
  serve(listener: string, arrival: Arrival): boolean
  /** After a rotation of the access log. */
  reopenLogs(): void
  /**
   * Begins a graceful stop: readyz says 503, nothing new is accepted, what is in flight ends, or is cut after `graceMs`
   * (default `shutdown.grace`). Once it has begun, a call can only shorten what is left of that time.
   */
  drain(o?: { readonly graceMs?: number; readonly cause?: string }): void
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
  const { loaded, version, bind = true } = options
  const ring = new EventRing()
  const events = eachOf(options.events ?? noEvents, ring)
  const log = tellProblems(options.log, events)
  const { config } = loaded
  const workers = bind ? workerCount(config.workers, log) : 0
  // Connections of inherited Unix sockets cannot be handed to a worker: the main thread serves them.
  const planes = Math.max(1, config.listeners.some(({ inherited }) => inherited !== null) ? workers + 1 : workers)
  const state = new OwnerState(createSharedState({ workers: planes }))
  const failureListeners: ((failure: BackendFailure) => void)[] = []
  const outlets = new Outlets({ version, log })
  const crew = new Crew({
    workers,
    bind,
    state,
    log,
    maxClients: clientsPerWorker(descriptorLimit(), planes),
    onFailure: (failure) => {
      for (const listener of failureListeners) listener(failure)
    },
    onAccess: (lines) => outlets.access(lines),
    onSpans: (batch) => outlets.spans(batch),
    onExchange: options.onExchange,
  })
  const cleanUp = async (outcome?: StopReason): Promise<void> => {
    await control.close(outcome)
    await outlets.close()
  }
  const stop = new Stop({ graceMs: config.shutdown.graceMs, crew, cleanUp, events })
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
    boundPort: (listener) => ports.get(listener),
    prepare: async (snapshot) => outlets.around(await crew.prepare(withPorts(snapshot)), snapshot),
    apply: async (snapshot) => {
      outlets.open(snapshot)
      await crew.apply(withPorts(snapshot))
      outlets.settle(snapshot)
    },
    setAddresses: (slot, addresses) => crew.setAddresses(slot, addresses),
    cutBackend: (slot) => crew.cutBackend(slot),
    stop: () => {
      if (!stop.begun) log.event('info', 'draining', drainingWords('admin API'), { cause: 'admin API' })
      stop.drain({ cause: 'admin API' })
    },
    isDraining: () => stop.begun,
    onBackendFailure: (listener) => void failureListeners.push(listener),
  }
  const known = (next: LoadedConfig): LoadedConfig => {
    crew.plugins.know(next.plugins)
    return next
  }
  known(loaded)
  const read = options.load ?? null
  const load = read === null ? null : async () => known(await read())
  const control = await Control.create({ port, config, configPath: loaded.path, load, log, events, ring }).catch(
    async (error) => {
      await outlets.close()
      throw loaded.locate(error)
    },
  )
  let inherited: Awaited<ReturnType<Crew['openInherited']>>
  try {
    const { sockets, unused } = assignSockets(control.snapshot.listeners, options.inheritance ?? nothing)
    for (const { fd, name } of unused) {
      log.event('warn', 'unused_socket', `no listener asks for the socket ${name} (file descriptor ${fd})`, {
        fd,
        name,
      })
    }
    if (bind) ports = await reservePorts(control.snapshot.listeners)
    outlets.open(control.snapshot)
    await crew.start(withPorts(control.snapshot))
    inherited = await crew.openInherited(sockets)
    await control.start().catch((error: NodeJS.ErrnoException) => {
      throw error.syscall === 'listen' ? adminListenError(error, config) : error
    })
  } catch (error) {
    await crew.stop()
    await cleanUp()
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
    reload: (next) => control.reload(known(next).config),
    reloadFile: () => control.reloadFile(),
    status: () => control.status(),
    backends: control.backends,
    serve: (listener, arrival) => crew.serve(listener, arrival),
    reopenLogs: () => outlets.reopen(),
    drain: (how) => stop.drain(how),
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

/** What Node's timers take. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

interface StopOptions {
  readonly graceMs: number
  readonly crew: Crew
  readonly cleanUp: (outcome: StopReason) => Promise<void>
  readonly events: EventSink
}

/** The end of the program: drain within the time of grace, then close. */
class Stop {
  begun = false
  readonly stopped: Promise<StopReason>
  readonly #o: StopOptions
  #resolve: (reason: StopReason) => void = () => {}
  #grace: NodeJS.Timeout | undefined
  #graceEndsAtMs = Number.POSITIVE_INFINITY
  #ending = false

  constructor(options: StopOptions) {
    this.#o = options
    this.stopped = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  drain({ graceMs = this.#o.graceMs, cause = 'program' }: { graceMs?: number; cause?: string } = {}): void {
    const isFirst = this.#begin(cause, graceMs)
    this.#allow(graceMs)
    if (isFirst) void this.#o.crew.drain().then(() => this.#end('drained'))
  }

  force(): void {
    this.#begin('program', 0)
    void this.#end('forced')
  }

  #begin(cause: string, graceMs: number): boolean {
    if (this.begun) return false
    this.begun = true
    this.#o.events.emit({ type: 'draining', cause, graceMs })
    return true
  }

  /** What is left of the time of grace never grows. */
  #allow(graceMs: number): void {
    const endsAtMs = performance.now() + graceMs
    if (this.#ending || endsAtMs >= this.#graceEndsAtMs) return
    this.#graceEndsAtMs = endsAtMs
    clearTimeout(this.#grace)
    this.#grace = setTimeout(() => void this.#end('grace-expired'), Math.min(graceMs, LONGEST_TIMER_MS))
  }

  async #end(outcome: StopReason): Promise<void> {
    if (this.#ending) return
    this.#ending = true
    clearTimeout(this.#grace)
    await this.#o.crew.stop()
    await this.#o.cleanUp(outcome)
    this.#o.events.emit({ type: 'closed', outcome })
    this.#resolve(outcome)
  }
}
