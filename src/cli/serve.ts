// Frontdesk in the foreground: start, say where it is, obey signals, end. `run`, `proxy` and `demo` differ only in what they serve.
import type { LoadedConfig } from '../config/load.ts'
import { ListenError, type Running, startFrontdesk } from '../supervisor/frontdesk.ts'
import { announce } from './announce.ts'
import type { CliContext } from './cli-context.ts'
import { ExitCode } from './exit-code.ts'
import { cannotListen } from './listen-failure.ts'
import { createLogSink, type LogSink } from './log-sink.ts'
import { reloadOnHangup } from './reload-signal.ts'
import { onStopSignals } from './stop-signals.ts'

/** How long the start-up message waits for the first health checks. */
const FIRST_CHECKS_MS = 1000
const FIRST_CHECKS_POLL_MS = 20

export interface ServeOptions {
  readonly context: CliContext
  readonly loaded: LoadedConfig
  /** What the start-up message calls the configuration. */
  readonly source: string
  /** Reads the configuration again, for HUP; null where there is no file: then HUP drains, as when a terminal closes. */
  readonly reload: (() => LoadedConfig) | null
  /** Further lines of the start-up message. */
  readonly hints?: readonly string[]
  /** Which option chooses another port. */
  readonly portOption?: string
}

/** Runs until it is told to stop; returns the exit code. Throws a CliError when it cannot start. */
export async function serve(o: ServeOptions): Promise<number> {
  const { context, loaded } = o
  const { level, format } = loaded.config.logging
  const log = createLogSink({ terminal: context.terminal, level, format })
  for (const warning of loaded.warnings) log.event('warn', 'configuration', warning)
  const stop = new StopControl(log, context)
  try {
    const running = await start(o, log)
    stop.attach(running)
    const offReload = o.reload === null ? stop.onHangup() : reloadOnHangup({ running, log, load: o.reload })
    const onReopen = (): void => running.reopenLogs()
    process.on('SIGUSR2', onReopen)
    await firstChecks(running, stop)
    if (!stop.requested) announce({ ...o, running, log })
    const outcome = await running.stopped
    offReload()
    process.off('SIGUSR2', onReopen)
    return ended(outcome, log)
  } finally {
    stop.off()
    log.flush()
  }
}

async function start(o: ServeOptions, log: LogSink): Promise<Running> {
  try {
    return await startFrontdesk({ loaded: o.loaded, log, version: o.context.version })
  } catch (error) {
    if (!(error instanceof ListenError)) throw error
    const isAdmin = error.port === o.loaded.config.admin?.port
    const choose = isAdmin ? '--admin-port' : (o.portOption ?? '--port')
    throw cannotListen({ code: error.code, host: error.host, port: error.port, choose })
  }
}

/** Resolves when every backend has been checked, after a second at the latest. */
async function firstChecks(running: Running, stop: StopControl): Promise<void> {
  const until = performance.now() + FIRST_CHECKS_MS
  const unknown = (): boolean => running.status().backends.some((backend) => backend.state === 'unknown')
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
  readonly off: () => void

  constructor(log: LogSink, context: CliContext) {
    this.#log = log
    this.off = onStopSignals({ drain: (cause) => this.#drain(cause), force: () => this.#force() }, context)
  }

  attach(running: Running): void {
    this.#running = running
    if (this.requested) running.drain()
    if (this.#forced) running.force()
  }

  /** Without a file to read again, HUP means that the terminal has closed. */
  onHangup(): () => void {
    const drain = (): void => this.#drain('SIGHUP')
    process.on('SIGHUP', drain)
    return () => process.off('SIGHUP', drain)
  }

  #drain(cause: string): void {
    if (this.requested) return
    this.requested = true
    const again = cause === 'SIGINT' ? '; Ctrl-C again stops at once' : ''
    this.#log.event('info', 'draining', `draining (${cause}): no new connections, those open may finish${again}`, {
      cause,
    })
    this.#running?.drain()
  }

  #force(): void {
    this.#forced = true
    this.#running?.force()
  }
}
