// nginx, HAProxy and others as servers behind (or before) Frontdesk, each with the configuration that a test writes.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram, skipWithout, skipWithoutFile } from './peers.ts'
import { DEADLINE_MS } from './wait.ts'

/** A program that runs until it is closed. */
export interface PeerServer {
  close(): Promise<void>
}

/** Debian's nginx has its stream module apart. */
const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so'

/** Why `stream` blocks cannot be tested here; false = they can. */
export function skipWithoutStream(): string | false {
  return skipWithout('nginx') || skipWithoutFile(streamModule, 'the stream module of nginx')
}

/** nginx with these blocks at the top level (`http { … }`, `stream { … }`); ready when it accepts at `port`. */
export async function startNginx(blocks: string, port: number): Promise<PeerServer> {
  const dir = await mkdtemp(join(tmpdir(), 'frontdesk-nginx-'))
  const file = join(dir, 'nginx.conf')
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${dir}/${kind};`)
  const modules = blocks.includes('stream {') ? `load_module ${streamModule};` : ''
  const text = `${modules} daemon off; master_process off; pid ${dir}/pid; error_log stderr warn; events { worker_connections 256; }
${blocks.replace(/\bhttp\s*\{/, `http { access_log off; ${paths.join(' ')}`)}`
  await writeFile(file, text)
  return ready(spawnPeer('nginx', ['-e', 'stderr', '-p', dir, '-c', file], dir), port)
}

/** HAProxy with these sections; ready when it accepts at `port`. Deadlines of 5 s are set as defaults. */
export async function startHaproxy(sections: string, port: number): Promise<PeerServer> {
  const dir = await mkdtemp(join(tmpdir(), 'frontdesk-haproxy-'))
  const file = join(dir, 'haproxy.cfg')
  const defaults = 'defaults\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n'
  await writeFile(file, `${defaults}${sections}\n`)
  return ready(spawnPeer('haproxy', ['-db', '-f', file], dir), port)
}

/** Any program that stays in the foreground; ready when it accepts at `port`. `dir` is removed when it is closed. */
export function startPeer(name: string, args: readonly string[], dir: string, port: number): Promise<PeerServer> {
  return ready(spawnPeer(name, args, dir), port)
}

class Peer implements PeerServer {
  readonly child: ChildProcess
  said = ''
  readonly #dir: string

  constructor(child: ChildProcess, dir: string) {
    this.child = child
    this.#dir = dir
    for (const stream of [child.stdout, child.stderr]) {
      stream!.setEncoding('utf8').on('data', (text: string) => (this.said = (this.said + text).slice(-4000)))
    }
  }

  get gone(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  async close(): Promise<void> {
    if (!this.gone) {
      const exit = once(this.child, 'exit')
      this.child.kill('SIGKILL')
      await exit
    }
    await rm(this.#dir, { recursive: true, force: true })
  }
}

function spawnPeer(name: string, args: readonly string[], dir: string): Peer {
  return new Peer(spawn(findProgram(name)!, args, { stdio: ['ignore', 'pipe', 'pipe'] }), dir)
}

async function ready(peer: Peer, port: number): Promise<PeerServer> {
  const giveUpAt = performance.now() + DEADLINE_MS
  while (!(await accepts(port))) {
    if (!peer.gone && performance.now() < giveUpAt) continue
    const { said } = peer
    await peer.close()
    throw new Error(`the server did not come up: ${said}`)
  }
  return peer
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const outcome = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'close').then(() => false),
  ]).catch(() => false)
  socket.destroy()
  return outcome
}
