// Frontdesk in the foreground: start, say where it is, obey signals, end. `run`, `proxy` and `demo` differ only in what they serve.
import type { LoadedConfig } from '../config/load.ts'
import { wantedMaterial } from '../control/certificates/wanted-material.ts'
import {
  drainingWords,
  ListenError,
  type Place,
  type Running,
  startFrontdesk,
  takeInheritance,
} from '../supervisor/frontdesk.ts'
import { announce } from './announce.ts'
import type { CliContext } from './cli-context.ts'
import { ConfigWatch } from './config-watch.ts'
import { ExitCode } from './exit-code.ts'
import { cannotListen } from './listen-failure.ts'
import { createLogSink, type LogSink } from './log-sink.ts'
import { reloadOnHangup } from './reload-signal.ts'
import { ServiceManager, servingWords } from './service-manager.ts'
import { onStopSignals } from './stop-signals.ts'
import { sizeYoungGeneration } from './young-generation.ts'

/** How long the start-up message waits for the first health checks. */
const FIRST_CHECKS_MS = 1000
const FIRST_CHECKS_POLL_MS = 20

export interface ServeOptions {
  readonly context: CliContext
  readonly loaded: LoadedConfig
  /** What the start-up message calls the configuration. */
  readonly source: string
  /**
   * Reads the configuration again, for HUP. Null where there is no file: then HUP reads certificates again, and without
   * any it drains, as when a terminal closes.
   */
  readonly reload: (() => LoadedConfig | Promise<LoadedConfig>) | null
  /** Applies the configuration again whenever its files change; needs `reload`. */
  readonly watch?: boolean
  /** Further lines of the start-up message. */
  readonly hints?: readonly string[]
  /** Which option chooses another port. */
  readonly portOption?: string
}

/** Runs until it is told to stop; returns the exit code. Throws a CliError when it cannot start. */
export async function serve(given: ServeOptions): Promise<number> {
  const { context, loaded } = given
  const { o, latest } = remembering(given)
  const { level, format } = loaded.config.logging
  const log = createLogSink({ terminal: context.terminal, level, format })
  for (const warning of loaded.warnings) log.event('warn', 'configuration', warning)
  // systemd names the process that it started: the launcher, where there is one.
  const pids = context.launched ? [process.pid, process.ppid] : [process.pid]
  const manager = new ServiceManager({ env: process.env, pids, log })
  const stop = new StopControl(log, context)
  let running: Running | undefined
  let watch: ConfigWatch | null = null
  if (o.reload === null && wantedMaterial(loaded.config).size === 0) stop.onHangup()
  else reloadOnHangup(() => running, manager)
  process.on('SIGUSR2', () => running?.reopenLogs())
  try {
    running = await start(o, { log, manager, pids })
    context.hasServed = true
    stop.attach(running)
    if (!stop.requested) manager.ready(servingWords(running))
    await firstChecks(running, loaded, stop)
    if (!stop.requested) announce({ ...o, running, log })
    if (!stop.requested) watch = await watchFiles(o, { running, log, latest })
    const outcome = await running.stopped
    await manager.sent
    return ended(outcome, log)
  } finally {
    watch?.close()
    log.flush()
  }
}

/** What is read again is remembered: it may name other files than before. */
function remembering(given: ServeOptions): { readonly o: ServeOptions; readonly latest: () => LoadedConfig } {
  let last = given.loaded
  const { reload } = given
  const read = async (): Promise<LoadedConfig> => {
    last = await reload!()
    return last
  }
  return { o: { ...given, reload: reload && read }, latest: () => last }
}

/** Null where nothing is to be watched. */
async function watchFiles(o: ServeOptions, parts: WatchParts): Promise<ConfigWatch | null> {
  const { path, text } = o.loaded
  const { running, log, latest } = parts
  if (o.watch !== true || path === null) return null
  return ConfigWatch.start({
    log,
    path,
    text,
    files: () => latest().files,
    reload: () => running.reloadFile({ by: 'file watch', cause: 'file changed' }),
  })
}

interface WatchParts {
  readonly log: LogSink
  readonly running: Running
  /** The configuration as it was read last. */
  readonly latest: () => LoadedConfig
}

interface StartParts {
  readonly log: LogSink
  readonly manager: ServiceManager
  readonly pids: readonly number[]
}

async function start(o: ServeOptions, { log, manager, pids }: StartParts): Promise<Running> {
  sizeYoungGeneration()
  try {
    const inheritance = takeInheritance(process.env, pids)
    const { loaded, reload: load, context } = o
    const onConfig = ({ logging }: LoadedConfig['config']): void => {
      log.level = logging.level
    }
    const { version } = context
    return await startFrontdesk({ loaded, log, version, load, inheritance, events: manager, onConfig })
  } catch (error) {
    const failure = listenFailure(error)
    if (failure === null) throw error
    throw cannotListen({ ...failure, choose: howToChoose(failure, o) })
  }
}

/** How another port is chosen: by an option where one is for it, else in the file. */
function howToChoose({ host, port }: Place, { loaded, portOption }: ServeOptions): string {
  const { admin, listeners } = loaded.config
  const listener = listeners.find((one) => one.port === port && one.host === host)
  if (listener === undefined && port !== 0 && port === admin?.port) return 'choose another with --admin-port'
  if (portOption !== undefined) return `choose another with ${portOption}`
  const isMeant = listener === undefined || listener.name === 'default' || listeners.length === 1
  return isMeant ? 'choose another with --port' : `change "listen" of listener ${listener.name}${inFlatForm(listener)}`
}

/** The flat form names that listener nowhere. */
const inFlatForm = ({ name }: { readonly name: string }): string =>
  name === 'default-tls' ? ', in the flat form "port" of "tls"' : ''

/** What could not be bound, as the supervisor says it for listeners and as the system says it for the admin API. */
function listenFailure(error: unknown): (Place & { code: string }) | null {
  if (error instanceof ListenError) return error
  const { syscall, code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  if (syscall !== 'listen' || code === undefined) return null
  return { code, host: address ?? '', port: port ?? 0 }
}

/** Resolves when every backend that is checked at all has been, after a second at the latest. */
async function firstChecks(running: Running, { config }: LoadedConfig, stop: StopControl): Promise<void> {
  const until = performance.now() + FIRST_CHECKS_MS
  const unknown = (): boolean =>
    running.status().backends.some(({ state, pool }) => state === 'unknown' && config.pools[pool]?.healthCheck !== null)
  while (!stop.requested && performance.now() < until && unknown()) {
    await new Promise((resolve) => setTimeout(resolve, FIRST_CHECKS_POLL_MS))
  }
}

function ended(outcome: Awaited<Running['stopped']>, log: LogSink): number {
  if (outcome === 'forced') log.event('warn', 'stopped', 'stopped at once; what was open was cut')
  else if (outcome === 'grace-expired')
    log.event('warn', 'stopped', 'stopped; what was still open after shutdown.grace was cut')
  else log.event('info', 'stopped', 'drained and stopped')
  return outcome === 'forced' ? ExitCode.forced : ExitCode.done
}

/** Signals may come before there is anything to stop; they are kept until there is. */
class StopControl {
  requested = false
  #forced = false
  #running: Running | undefined
  readonly #log: LogSink

  constructor(log: LogSink, context: CliContext) {
    this.#log = log
    onStopSignals({ drain: (cause) => this.#drain(cause), force: () => this.#force() }, context)
  }

  attach(running: Running): void {
    this.#running = running
    if (this.requested) running.drain()
    if (this.#forced) running.force()
  }

  /** Without a file to read again, HUP means that the terminal has closed. */
  onHangup(): void {
    process.on('SIGHUP', () => this.#drain('SIGHUP'))
  }

  #drain(cause: string): void {
    if (this.requested) return
    this.requested = true
    const again = cause === 'SIGINT' ? '; Ctrl-C again stops at once' : ''
    this.#log.event('info', 'draining', `${drainingWords(cause)}${again}`, { cause })
    this.#running?.drain()
  }

  #force(): void {
    this.#forced = true
    this.#running?.force()
  }
}
