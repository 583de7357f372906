// Starts and ends the benchmark's processes. Each one is remembered by its pid and ended by it, whatever happens.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** A server that was started; `pid` is the root of its process tree. */
export interface Running {
  readonly pid: number
  readonly logPath: string
  readonly exited: Promise<void>
  isAlive(): boolean
}

export interface StartOptions {
  readonly command: readonly string[]
  /** Cores to pin to, in taskset's form ("1", "0,1"). */
  readonly cpus: string
  /** Where its output goes; quoted when it fails to start. */
  readonly logPath: string
  readonly env?: Record<string, string>
  readonly cwd?: string
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const children = new Set<ChildProcess>()

/** Kills every process group this module started. Synchronous, for use while exiting. */
export function killAll(): void {
  for (const child of children) signalGroup(child, 'SIGKILL')
  children.clear()
}

/** Ends all children on exit, on Ctrl-C and on TERM. Call once at the start of a program. */
export function killAllOnExit(): void {
  process.on('exit', killAll)
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => process.exit(code))
  }
}

/** Starts a pinned server in its own process group (so that the terminal's Ctrl-C reaches only the benchmark). */
export function start(options: StartOptions): Running {
  const log = openSync(options.logPath, 'w')
  const child = spawn('taskset', ['-c', options.cpus, ...options.command], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  closeSync(log)
  const exited = track(child)
  if (child.pid === undefined) throw new Error('cannot run taskset (util-linux): is it installed?')
  return { pid: child.pid, logPath: options.logPath, exited, isAlive: () => children.has(child) }
}

/** Runs a pinned command to its end and returns what it printed. `timeoutMs` ends it by force. */
export async function runToEnd(command: readonly string[], cpus: string, timeoutMs: number): Promise<Finished> {
  const child = spawn('taskset', ['-c', cpus, ...command], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = track(child)
  const text = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.stderr += chunk
  })
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), timeoutMs)
  await exited
  clearTimeout(timer)
  return { code: child.exitCode, ...text }
}

/** TERM, and after `graceMs` KILL to the whole group. Resolves when the process is gone. */
export async function stop(running: Running, graceMs = 5000): Promise<void> {
  const child = [...children].find((c) => c.pid === running.pid)
  if (child === undefined) return
  child.kill('SIGTERM')
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs)
  await running.exited
  clearTimeout(timer)
}

/** Resolves when something listens on the port; throws with the end of the log if the process ends or 15 s pass. */
export async function waitForPort(running: Running, port: number): Promise<void> {
  const deadline = Date.now() + 15_000
  // Some try whether they may have the port before their workers take it: it counts when it stays.
  for (let seen = 0; Date.now() < deadline && running.isAlive(); seen = (await canConnect(port)) ? seen + 1 : 0) {
    if (seen === 8) return
    await wait(25)
  }
  const log = readFileSync(running.logPath, 'utf8').trim().split('\n').slice(-15).join('\n')
  throw new Error(`did not start listening on port ${port}:\n${log}`)
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function track(child: ChildProcess): Promise<void> {
  children.add(child)
  return new Promise((resolve) => {
    const gone = () => {
      children.delete(child)
      resolve()
    }
    child.once('error', gone).once('close', gone)
  })
}

/** A leader that has ended may leave members of its group behind (a worker of a killed master); they get it too. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The group is gone already.
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
