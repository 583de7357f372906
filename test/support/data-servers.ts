// PostgreSQL and Redis as backends, fresh for each test, and the programs that put load on them.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram, skipWithout } from './peers.ts'
import { refusingPort } from './ports.ts'

const run = promisify(execFile)
const ROOT = '/usr/lib/postgresql'
const START_MS = 20_000

/** Where Debian puts what only the server's own user runs; the newest version. Null = not installed. */
const postgresBin = ((): string | null => {
  try {
    const versions = readdirSync(ROOT).sort((a, b) => Number(b) - Number(a))
    return versions.length === 0 ? null : join(ROOT, versions[0]!, 'bin')
  } catch {
    return null
  }
})()

/** Why PostgreSQL cannot be tested here; false = it can. Throws where it may not be missing. */
export function skipWithoutPostgres(): string | false {
  return postgresBin === null ? skipWithout('postgres') : false
}

export function skipWithoutRedis(): string | false {
  return skipWithout('redis-server', 'redis-benchmark')
}

export interface DataServer {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

interface User {
  readonly uid: number
  readonly gid: number
}

/** A cluster that `pgbench -i` has filled; copies of it are started. */
export class PostgresTemplate {
  readonly #dir: string
  readonly #user: User | undefined

  private constructor(dir: string, user: User | undefined) {
    this.#dir = dir
    this.#user = user
  }

  static async create(): Promise<PostgresTemplate> {
    const user = await serverUser()
    const dir = await mkdtemp(join(tmpdir(), 'frontdesk-postgres-'))
    if (user !== undefined) chownSync(dir, user.uid, user.gid)
    const data = join(dir, 'template')
    const options = { cwd: dir, ...user }
    await run(
      join(postgresBin!, 'initdb'),
      ['-D', data, '-U', 'test', '-A', 'trust', '--no-sync', '-E', 'UTF8'],
      options,
    )
    const template = new PostgresTemplate(dir, user)
    const server = await template.#serve(data)
    await run(join(postgresBin!, 'pgbench'), ['-i', '-q', ...target(server.port)]).finally(() => server.close())
    return template
  }

  /** A server with a copy of the data, on a free port. */
  async start(): Promise<DataServer> {
    const data = await mkdtemp(join(this.#dir, 'data-'))
    cpSync(join(this.#dir, 'template'), data, { recursive: true })
    if (this.#user !== undefined) await run('chown', ['-R', `${this.#user.uid}:${this.#user.gid}`, data])
    return this.#serve(data)
  }

  async #serve(data: string): Promise<DataServer> {
    const port = await refusingPort()
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      fsync: 'off',
      max_connections: '100',
      shared_buffers: '16MB',
    }
    const args = ['-D', data, '-p', String(port)]
    for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`)
    const child = spawn(join(postgresBin!, 'postgres'), args, { cwd: data, stdio: 'ignore', ...this.#user })
    await ready(child, async () => {
      await run(join(postgresBin!, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)])
    })
    // INT: ends sessions and goes.
    return { port, url: `tcp://127.0.0.1:${port}`, close: () => stop(child, 'SIGINT') }
  }

  async close(): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true })
  }
}

const target = (port: number): string[] => ['-h', '127.0.0.1', '-p', String(port), '-U', 'test', 'postgres']

/** What pgbench said; rejects where it failed. */
export async function pgbench(port: number, ...options: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(join(postgresBin!, 'pgbench'), ['-n', ...options, ...target(port)])
  return stdout + stderr
}

/** PostgreSQL refuses to run as root: then it runs as the user its package has made. */
async function serverUser(): Promise<User | undefined> {
  if (process.getuid!() !== 0) return undefined
  const id = async (kind: string): Promise<number> => Number((await run('id', [kind, 'postgres'])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}

export async function startRedis(): Promise<DataServer> {
  const port = await refusingPort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no']
  const child = spawn(findProgram('redis-server')!, args, { stdio: 'ignore', cwd: tmpdir() })
  await ready(child, () => accepts(port))
  return { port, url: `tcp://127.0.0.1:${port}`, close: () => stop(child, 'SIGKILL') }
}

/** What redis-benchmark said; rejects where it failed. */
export async function redisBenchmark(port: number, ...options: readonly string[]): Promise<string> {
  const args = ['-h', '127.0.0.1', '-p', String(port), '--csv', ...options]
  const { stdout, stderr } = await run(findProgram('redis-benchmark')!, args, { maxBuffer: 1 << 24 })
  return stdout + stderr
}

async function ready(child: ChildProcess, looks: () => Promise<void>): Promise<void> {
  const giveUpAt = performance.now() + START_MS
  for (;;) {
    const failure = await looks().then(
      () => null,
      (error: Error) => error,
    )
    if (failure === null) return
    if (child.exitCode !== null || performance.now() > giveUpAt) throw new Error(`no server: ${failure.message}`)
  }
}

async function accepts(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect').finally(() => socket.destroy())
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}
