// A real Frontdesk in a process of its own between backends and traffic, and a hand on everything that changes it.
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type DetailedPeerCertificate } from 'node:tls'
import { makeAuthority } from '../certificates.ts'
import { type Answered, ask } from '../load.ts'
import { refusingPort } from '../ports.ts'
import { until } from '../wait.ts'
import type { ServerPorts } from './servers.ts'
import type { TrafficOptions, TrafficReport } from './traffic.ts'

const launcher = join(import.meta.dirname, '../../../bin/frontdesk.js')
/** So that what is left in the memory can be told from garbage. */
const collecting = ['--expose-gc', '--import', new URL('collect-garbage.ts', import.meta.url).href]
const host = '127.0.0.1'

// biome-ignore lint/suspicious/noExplicitAny: documents are changed here as JSON is
export type Document = any

/** What the process takes, as the system counts it. */
export interface Footprint {
  readonly rssBytes: number
  readonly descriptors: number
  readonly threads: number
}

export interface CallAnswer {
  readonly status: number
  readonly body: Document
}

export class Stage {
  readonly servers: ServerPorts
  readonly ports: {
    readonly web: number
    readonly webs: number
    readonly tcp: number
    readonly admin: number
    readonly more: number
  }
  /** What the configuration file says. */
  file: Document
  readonly #dir: string
  readonly #certificates: readonly { readonly cert: string; readonly key: string }[]
  readonly #children: ChildProcess[]
  #proxy: ChildProcess | undefined
  readonly #remove: () => Promise<void>
  #traffic: ChildProcess | undefined
  #log = ''

  private constructor(parts: StageParts) {
    this.servers = parts.servers
    this.ports = parts.ports
    this.file = parts.file
    this.#dir = parts.dir
    this.#certificates = parts.certificates
    this.#remove = parts.remove
    this.#children = [parts.process]
  }

  async #start(): Promise<void> {
    this.#proxy = spawn(process.execPath, [...collecting, launcher, '-c', 'config.json'], {
      cwd: this.#dir,
      env: { ...withoutTestRunner(), NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#children.push(this.#proxy)
    for (const stream of [this.#proxy.stdout!, this.#proxy.stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        this.#log += chunk.toString()
      })
    }
    const ready = (): boolean => this.#log.includes('"event":"started"') || this.#proxy!.exitCode !== null
    await until('Frontdesk has started', ready, 20_000)
    if (this.#proxy.exitCode !== null) throw new Error(`Frontdesk ended: ${this.#log}`)
  }

  static async open({ workers = 2 } = {}): Promise<Stage> {
    const dir = mkdtempSync(join(tmpdir(), 'frontdesk-live-'))
    const authority = await makeAuthority()
    const certificates = [await authority.issue({ days: 1 }), await authority.issue({ days: 2 })]
    const process = fork(join(import.meta.dirname, 'servers.ts'), { env: withoutTestRunner() })
    const [servers] = (await once(process, 'message')) as [ServerPorts]
    const [web, webs, tcp, admin, more] = await freePorts(5)
    const ports = { web: web!, webs: webs!, tcp: tcp!, admin: admin!, more: more! }
    const remove = async (): Promise<void> => {
      await authority.remove()
      rmSync(dir, { recursive: true })
    }
    const file = fileOf(ports, servers, workers)
    const stage = new Stage({ dir, certificates, process, servers, ports, file, remove })
    stage.useCertificate(0)
    stage.save()
    try {
      await stage.#start()
    } catch (error) {
      await stage.close()
      throw error
    }
    return stage
  }

  get log(): string {
    return this.#log
  }

  save(): void {
    writeFileSync(join(this.#dir, 'config.json'), JSON.stringify(this.file, null, 2))
  }

  /** Puts the nth certificate where the configuration has it. */
  useCertificate(n: number): void {
    const pair = this.#certificates[n % 2]!
    writeFileSync(join(this.#dir, 'server.key'), pair.key)
    writeFileSync(join(this.#dir, 'server.pem'), pair.cert)
  }

  /** Whether a new connection is served the nth certificate. */
  async servesCertificate(n: number): Promise<boolean> {
    const wanted = new X509Certificate(this.#certificates[n % 2]!.cert)
    return wanted.fingerprint256 === (await this.#peerCertificate()).fingerprint256
  }

  #peerCertificate(): Promise<DetailedPeerCertificate> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ host, port: this.ports.webs, rejectUnauthorized: false, servername: 'localhost' })
      socket.on('secureConnect', () => {
        resolve(socket.getPeerCertificate(true))
        socket.destroy()
      })
      socket.on('error', reject)
    })
  }

  /** Reads the file by HUP; resolves when the log says what became of it. */
  async hangUp(): Promise<void> {
    const told = (): number =>
      this.#log.split('\n').filter((line) => /"event":"reload(ed|_failed|_refused)"/.test(line)).length
    const before = told()
    this.#proxy!.kill('SIGHUP')
    await until('HUP has been followed', () => told() > before, 10_000)
    const last = this.#log.split('\n').findLast((line) => line.includes('"event":"reload'))!
    if (!last.includes('"event":"reloaded"')) throw new Error(last)
  }

  async call(method: string, path: string, body?: unknown): Promise<CallAnswer> {
    const answer = await ask(this.ports.admin, {
      method,
      path,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: answer.body === '' ? null : JSON.parse(answer.body) }
  }

  async metrics(): Promise<string> {
    return (await ask(this.ports.admin, { path: '/metrics' })).body
  }

  /** The same on so many new connections at once, so that every worker is among them. */
  async everywhere(path: string, times = 12, port = this.ports.web): Promise<Answered[]> {
    return Promise.all(Array.from({ length: times }, () => ask(port, { path })))
  }

  /** Has every thread collect its garbage; bytes on their heaps that are in use then, of all together. */
  async heapBytes(): Promise<number> {
    const told = (): Document[] =>
      this.#log
        .split('\n')
        .filter((line) => line.startsWith('{"collected"'))
        .map((line) => JSON.parse(line))
    const before = told().length
    this.#proxy!.kill('SIGWINCH')
    await until(
      'every thread has collected its garbage',
      () => told().length === before + this.file.workers + 1,
      10_000,
    )
    return told()
      .slice(before)
      .reduce((sum, { heapUsed, external }) => sum + heapUsed + external, 0)
  }

  footprint(): Footprint {
    const pid = this.#proxy!.pid!
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)![1])
    return {
      rssBytes: field('VmRSS') * 1024,
      threads: field('Threads'),
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
    }
  }

  async startTraffic(o: Omit<TrafficOptions, 'web' | 'tcp'>): Promise<void> {
    this.#traffic = fork(join(import.meta.dirname, 'traffic.ts'), { env: withoutTestRunner() })
    this.#children.push(this.#traffic)
    await this.#askTraffic({ start: { ...o, web: this.ports.web, tcp: this.ports.tcp } })
  }

  report(): Promise<TrafficReport> {
    return this.#askTraffic('report')
  }

  endTraffic(): Promise<TrafficReport> {
    return this.#askTraffic('end')
  }

  async #askTraffic(call: unknown): Promise<TrafficReport> {
    const answered = once(this.#traffic!, 'message')
    this.#traffic!.send(call as object)
    return ((await answered) as [TrafficReport])[0]
  }

  async close(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    await this.#remove()
  }
}

interface StageParts {
  readonly dir: string
  readonly certificates: readonly { readonly cert: string; readonly key: string }[]
  readonly process: ChildProcess
  readonly servers: ServerPorts
  readonly ports: Stage['ports']
  readonly file: Document
  readonly remove: () => Promise<void>
}

function withoutTestRunner(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return env
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await refusingPort())
  return [...ports]
}

export const httpUrl = (port: number): string => `http://${host}:${port}`
export const tcpUrl = (port: number): string => `tcp://${host}:${port}`

function fileOf(ports: Stage['ports'], servers: ServerPorts, workers: number): Document {
  return {
    listeners: [
      { name: 'web', listen: `${host}:${ports.web}` },
      {
        name: 'webs',
        listen: `${host}:${ports.webs}`,
        tls: { certificates: [{ cert: 'server.pem', key: 'server.key' }] },
      },
      { name: 'echo', listen: `${host}:${ports.tcp}`, protocol: 'tcp', pool: 'echo' },
    ],
    pools: {
      web: { backends: servers.http.slice(0, 2).map(httpUrl) },
      sockets: { backends: servers.sockets.map(httpUrl) },
      echo: { backends: servers.tcp.slice(0, 2).map(tcpUrl) },
    },
    routes: [
      { name: 'sockets', match: { path: '/ws' }, pool: 'sockets' },
      { name: 'version', match: { path: '/version' }, respond: { status: 200, body: 'v0' } },
      { name: 'rest', match: '*', pool: 'web' },
    ],
    admin: { listen: `${host}:${ports.admin}` },
    workers,
  }
}
