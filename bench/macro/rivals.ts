// The proxies that are compared: how each is found, configured for one comparable job, and started.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nginxMain } from './backend.ts'

/** What a proxy has to do: listen on `port` of 127.0.0.1 and pass everything to the backend, with this many workers. */
export interface Job {
  readonly port: number
  readonly adminPort: number
  readonly backendPort: number
  readonly workers: number
  /** Of its own; files may be written there. */
  readonly directory: string
}

export interface Launch {
  readonly command: readonly string[]
  readonly env?: Record<string, string>
}

export interface Rival {
  readonly name: string
  /** Its version, or throws with the reason why it cannot take part. */
  version(): string
  /** Writes its configuration and says how to start it. */
  prepare(job: Job): Launch
}

const repository = fileURLToPath(new URL('../..', import.meta.url))
const launcher = join(repository, 'bin/frontdesk.js')

const frontdesk: Rival = {
  name: 'frontdesk',
  version() {
    if (!existsSync(launcher)) throw new Error('bin/frontdesk.js is missing')
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string }
    return `${version}${commit()}, Node ${process.versions.node}`
  },
  prepare: (job) => ({ command: frontdeskCommand(job, []) }),
}

/** Frontdesk's command line for a job; `nodeFlags` go before the script. The running Node is the one measured. */
export function frontdeskCommand(job: Job, nodeFlags: readonly string[]): string[] {
  const config = join(job.directory, 'config.json')
  const backends = [`http://127.0.0.1:${job.backendPort}`]
  const listeners = [{ name: 'default', listen: `127.0.0.1:${job.port}` }]
  const admin = { listen: `127.0.0.1:${job.adminPort}` }
  writeFileSync(config, JSON.stringify({ listeners, admin, workers: job.workers, backends }))
  return [process.execPath, ...nodeFlags, launcher, 'run', '-c', config]
}

const nginx: Rival = {
  name: 'nginx',
  version: () => /nginx\/(\S+)/.exec(output('nginx', ['-v']))?.[1] ?? 'unknown',
  prepare(job) {
    const config = join(job.directory, 'nginx.conf')
    writeFileSync(
      config,
      `${nginxMain(job.directory, job.workers)}
  upstream backend { server 127.0.0.1:${job.backendPort}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${job.port} backlog=4096${job.workers > 1 ? ' reuseport' : ''};
    location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
    )
    return { command: ['nginx', '-e', 'stderr', '-p', job.directory, '-c', config] }
  },
}

const haproxy: Rival = {
  name: 'haproxy',
  version: () => /version (\d[^-\s]*)/.exec(output('haproxy', ['-v']))?.[1] ?? 'unknown',
  prepare(job) {
    const config = join(job.directory, 'haproxy.cfg')
    writeFileSync(
      config,
      `global
  nbthread ${job.workers}
  maxconn 9000
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 75s
  http-reuse always
frontend front
  bind 127.0.0.1:${job.port}
  default_backend back
backend back
  server one 127.0.0.1:${job.backendPort}
`,
    )
    return { command: ['haproxy', '-db', '-f', config] }
  },
}

const caddy: Rival = {
  name: 'caddy',
  version: () => output('caddy', ['version']).split(' ')[0] ?? 'unknown',
  prepare(job) {
    const config = join(job.directory, 'Caddyfile')
    writeFileSync(
      config,
      `{
  admin off
  auto_https off
}
:${job.port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${job.backendPort} {
    transport http {
      keepalive_idle_conns_per_host 256
    }
  }
}
`,
    )
    const env = { GOMAXPROCS: String(job.workers), XDG_DATA_HOME: job.directory, XDG_CONFIG_HOME: job.directory }
    return { command: ['caddy', 'run', '--config', config, '--adapter', 'caddyfile'], env }
  },
}

const go: Rival = {
  name: 'go',
  version: () => `httputil.ReverseProxy, ${/go(\d\S*)/.exec(output('go', ['version']))?.[1] ?? 'unknown'}`,
  prepare(job) {
    const addresses = ['-listen', `127.0.0.1:${job.port}`, '-backend', `http://127.0.0.1:${job.backendPort}`]
    return { command: [buildGo('rivals/go'), ...addresses], env: { GOMAXPROCS: String(job.workers) } }
  },
}

const httpProxy = nodeRival('http-proxy', 'http-proxy.mjs')
const fastifyHttpProxy = nodeRival('@fastify/http-proxy', 'fastify-http-proxy.mjs')

/** All peers, in the order of the tables. */
export const rivals: readonly Rival[] = [frontdesk, nginx, haproxy, caddy, go, httpProxy, fastifyHttpProxy]

/** Builds a Go program below bench/macro once per change of its source; returns the binary. Throws without Go. */
export function buildGo(folder: string): string {
  const source = fileURLToPath(new URL(folder, import.meta.url))
  const work = fileURLToPath(new URL('../.work', import.meta.url))
  const binary = join(work, folder.replaceAll('/', '-'))
  mkdirSync(work, { recursive: true })
  if (!existsSync(binary) || statSync(binary).mtimeMs < statSync(join(source, 'main.go')).mtimeMs) {
    const env = { ...process.env, GOFLAGS: '', GOPROXY: 'off', GOTOOLCHAIN: 'local' }
    try {
      execFileSync('go', ['build', '-o', binary, '.'], { cwd: source, env, stdio: ['ignore', 'pipe', 'pipe'] })
    } catch (error) {
      throw isMissing(error) ? new Error('go is not installed') : error
    }
  }
  return binary
}

function nodeRival(name: string, script: string): Rival {
  const manifest = fileURLToPath(new URL(`../node_modules/${name}/package.json`, import.meta.url))
  return {
    name,
    version() {
      if (!existsSync(manifest)) throw new Error('not installed: npm ci --prefix bench')
      const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
      return `${version}, Node ${process.versions.node}`
    },
    prepare(job) {
      const file = fileURLToPath(new URL(`rivals/${script}`, import.meta.url))
      const backend = `http://127.0.0.1:${job.backendPort}`
      return { command: [process.execPath, file, String(job.port), backend, String(job.workers)] }
    },
  }
}

/** First words a program says about itself, on either stream. */
function output(command: string, args: readonly string[]): string {
  try {
    return execFileSync('sh', ['-c', '"$@" 2>&1', 'sh', command, ...args], { encoding: 'utf8', timeout: 10_000 })
  } catch {
    throw new Error(`${command} is not installed`)
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

/** ' (abc1234)', with '+' when the tree differs from the commit; '' outside a checkout. */
function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return ` (${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'src', 'bin') === '' ? '' : '+'})`
  } catch {
    return ''
  }
}
