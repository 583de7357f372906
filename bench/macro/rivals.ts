// The proxies that are compared: how each is found, configured for one comparable job, and started.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildGo } from './build-go.ts'
import { haproxyBuffers, haproxyCache, haproxyCacheRules, nginxCache, varnishCommand } from './cache-config.ts'
import { type Certificate, tlsSuite } from './certificate.ts'
import { rateLimit, services } from './gateway.ts'
import { nginxProxy } from './nginx-config.ts'

/**
 * What a proxy takes from clients: HTTP, any bytes (the same HTTP goes through unread), HTTP over TLS, HTTP with what
 * a gateway does (a hundred routes, header edits, a rate limit by client), or HTTP with answers that are cached.
 */
export type Front = 'http' | 'tcp' | 'tls' | 'routes' | 'cache'

/** What a proxy has to do: listen on `port` of 127.0.0.1 and pass everything to the backend, with this many workers. */
export interface Job {
  readonly port: number
  readonly adminPort: number
  readonly backendPort: number
  readonly front: Front
  /** For `front: 'tls'`, else null. */
  readonly certificate: Certificate | null
  readonly workers: number
  /** Size of the cache; 0 = none. */
  readonly cacheMiB: number
  /** Answers are of 64 KiB and more. */
  readonly longAnswers: boolean
  /** Of its own; files may be written there. */
  readonly directory: string
  /** The same in memory, where the system has such a place: for a cache of files. */
  readonly memoryDirectory: string
}

export interface Launch {
  readonly command: readonly string[]
  readonly env?: Record<string, string>
}

export interface Rival {
  readonly name: string
  readonly fronts: readonly Front[]
  /** Takes part only where `--only` names it. */
  readonly byNameOnly?: boolean
  /** Its version, or throws with the reason why it cannot take part. */
  version(): string
  /** Whether an answer calls itself a hit; not there where it says nothing of it. */
  saysHit?(fields: IncomingHttpHeaders): boolean
  /** Writes its configuration and says how to start it. */
  prepare(job: Job): Launch
}

const repository = fileURLToPath(new URL('../..', import.meta.url))
const launcher = join(repository, 'bin/frontdesk.js')

const frontdesk: Rival = {
  name: 'frontdesk',
  fronts: ['http', 'tcp', 'tls', 'routes', 'cache'],
  version() {
    if (!existsSync(launcher)) throw new Error('bin/frontdesk.js is missing')
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string }
    return `${version}${commit()}, Node ${process.versions.node}`
  },
  saysHit: (fields) => /^frontdesk; hit(;|$)/.test(String(fields['cache-status'])),
  prepare: (job) => ({ command: frontdeskCommand(job, []) }),
}

/** Frontdesk's command line for a job; `nodeFlags` go before the script. The running Node is the one measured. */
export function frontdeskCommand(job: Job, nodeFlags: readonly string[]): string[] {
  const config = join(job.directory, 'config.json')
  const backends = [`${job.front === 'tcp' ? 'tcp' : 'http'}://127.0.0.1:${job.backendPort}`]
  const listeners = [{ name: 'default', listen: `127.0.0.1:${job.port}`, ...frontdeskFront(job) }]
  const admin = { listen: `127.0.0.1:${job.adminPort}` }
  const routes = job.front === 'routes' ? { routes: gatewayRoutes() } : {}
  const cache = job.cacheMiB > 0 ? { cache: true, cache_store: { memory: `${job.cacheMiB}MB` } } : {}
  writeFileSync(config, JSON.stringify({ listeners, admin, workers: job.workers, backends, ...routes, ...cache }))
  return [process.execPath, ...nodeFlags, launcher, 'run', '-c', config]
}

/** As the locations of nginx-config.ts. */
function gatewayRoutes(): object[] {
  return services.map((name) => ({
    name,
    match: { path: `/${name}/*` },
    pool: 'default',
    headers: {
      request: { set: { 'X-Env': 'production', 'X-Service': name, 'X-Client': '{client.ip}' } },
      response: { set: { 'X-Frame-Options': 'DENY', 'X-Content-Type-Options': 'nosniff' } },
    },
    // nginx tells of its limits in no field either.
    rate_limit: { key: 'ip', rate: `${rateLimit}/s`, burst: rateLimit, headers: false },
  }))
}

/** What a listener needs besides its address. Its choice among the suites of TLS 1.3 is `tlsSuite` anyway. */
function frontdeskFront({ front, certificate }: Job): object {
  if (certificate === null) return front === 'tcp' ? { protocol: 'tcp' } : {}
  const certificates = [{ cert: certificate.certPath, key: certificate.keyPath }]
  return { tls: { certificates, min_version: '1.3' } }
}

const nginx: Rival = {
  name: 'nginx',
  fronts: ['http', 'tcp', 'tls', 'routes', 'cache'],
  version: () => /nginx\/(\S+)/.exec(output('nginx', ['-v']))?.[1] ?? 'unknown',
  prepare: (job) => nginxLaunch(job, job.cacheMiB > 0 ? nginxCache(job, false) : ''),
}

/** Its cache without the settings that nobody would find by himself. */
const nginxPackaged: Rival = {
  ...nginx,
  name: 'nginx-packaged',
  fronts: ['cache'],
  prepare: (job) => nginxLaunch(job, job.cacheMiB > 0 ? nginxCache(job, true) : ''),
}

function nginxLaunch(job: Job, cacheLines: string): Launch {
  const config = join(job.directory, 'nginx.conf')
  writeFileSync(config, nginxProxy(job, job.front === 'tcp' ? streamModule() : null, cacheLines))
  return { command: ['nginx', '-e', 'stderr', '-p', job.directory, '-c', config] }
}

/** Path of nginx's module for TCP; null where it is built in. Throws where there is none. */
function streamModule(): string | null {
  const built = output('nginx', ['-V'])
  if (/--with-stream(\s|$)/.test(built)) return null
  const path = join(/--modules-path=(\S+)/.exec(built)?.[1] ?? '', 'ngx_stream_module.so')
  if (!existsSync(path)) throw new Error('nginx has no stream module (libnginx-mod-stream)')
  return path
}

const haproxy: Rival = {
  name: 'haproxy',
  fronts: ['http', 'tcp', 'tls', 'cache'],
  saysHit: (fields) => fields.age !== undefined,
  version: () => /version (\d[^-\s]*)/.exec(output('haproxy', ['-v']))?.[1] ?? 'unknown',
  prepare(job) {
    const config = join(job.directory, 'haproxy.cfg')
    writeFileSync(
      config,
      `global
  nbthread ${job.workers}
  maxconn 9000
${haproxyBuffers(job)}defaults
  mode ${job.front === 'tcp' ? 'tcp' : 'http'}
  timeout connect 5s
  timeout client 75s
  timeout server 75s
${job.front === 'tcp' ? '' : '  http-reuse always\n'}${haproxyCache(job)}frontend front
  bind 127.0.0.1:${job.port}${haproxyTls(job)}
  default_backend back
backend back
${haproxyCacheRules(job)}  server one 127.0.0.1:${job.backendPort}
`,
    )
    return { command: ['haproxy', '-db', '-f', config] }
  },
}

function haproxyTls({ certificate }: Job): string {
  if (certificate === null) return ''
  return ` ssl crt ${certificate.bothPath} ssl-min-ver TLSv1.3 ciphersuites ${tlsSuite}`
}

const caddy: Rival = {
  name: 'caddy',
  fronts: ['http'],
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
  fronts: ['http'],
  version: () => `httputil.ReverseProxy, ${/go(\d\S*)/.exec(output('go', ['version']))?.[1] ?? 'unknown'}`,
  prepare(job) {
    const addresses = ['-listen', `127.0.0.1:${job.port}`, '-backend', `http://127.0.0.1:${job.backendPort}`]
    return { command: [buildGo('rivals/go'), ...addresses], env: { GOMAXPROCS: String(job.workers) } }
  },
}

const varnish: Rival = {
  name: 'varnish',
  fronts: ['cache'],
  saysHit: (fields) => /^\d+ \d+$/.test(String(fields['x-varnish'])),
  version: () => /varnish-(\d\S*)/.exec(output('varnishd', ['-V']))?.[1] ?? 'unknown',
  prepare: (job) => ({ command: varnishCommand(job) }),
}

const httpProxy = nodeRival('http-proxy', 'http-proxy.mjs')
const fastifyHttpProxy = nodeRival('@fastify/http-proxy', 'fastify-http-proxy.mjs')

/** Inside `node:http`: compared with the Node proxies, and only where it is asked for. */
const proxyHandler = embedded('proxyHandler', 'proxy-handler.ts')
const ownHttpProxy = embedded('frontdesk/http-proxy', 'own-http-proxy.ts')

/** All peers, in the order of the tables. */
export const rivals: readonly Rival[] = [
  frontdesk,
  nginx,
  nginxPackaged,
  haproxy,
  varnish,
  caddy,
  go,
  httpProxy,
  fastifyHttpProxy,
  proxyHandler,
  ownHttpProxy,
]

function embedded(name: string, script: string): Rival {
  return {
    name,
    byNameOnly: true,
    fronts: ['http'],
    version: () => frontdesk.version(),
    prepare(job) {
      const file = fileURLToPath(new URL(`rivals/${script}`, import.meta.url))
      return { command: [process.execPath, file, String(job.port), `http://127.0.0.1:${job.backendPort}`] }
    },
  }
}

function nodeRival(name: string, script: string): Rival {
  const manifest = fileURLToPath(new URL(`../node_modules/${name}/package.json`, import.meta.url))
  return {
    name,
    fronts: ['http'],
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
