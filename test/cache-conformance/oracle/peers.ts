// Caches of other people in front of the scripted origin, set up as close to the RFC as each of them goes.
import { cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNginx, startPeer } from '../../support/peer-servers.ts'
import { refusingPort } from '../../support/ports.ts'
import { RawClient } from '../../support/raw-client.ts'
import { fresh } from '../case.ts'
import type { Origin } from '../origin.ts'
import type { Target } from '../play.ts'

/** One of them, running. */
export interface Peer extends Target {
  close(): Promise<void>
}

export interface Kind {
  readonly name: string
  readonly program: string
  start(origin: Origin): Promise<Peer>
}

const folder = (name: string): Promise<string> => mkdtemp(join(tmpdir(), `frontdesk-${name}-`))

const target = (origin: Origin, port: number, close: () => Promise<void>): Peer => ({
  port,
  originOf: () => origin,
  prefixOf: () => '/peer',
  clock: null,
  settle: () => Promise.resolve(),
  close,
})

/** Traffic Server answers before its cache is open. */
async function isWarm(origin: Origin, port: number): Promise<void> {
  origin.script('/warm', { answers: [fresh()], startMs: Date.now(), path: '' })
  const client = await RawClient.open(port)
  for (let asked = -1; asked < origin.seen('/warm').length; ) {
    asked = origin.seen('/warm').length
    await client.request('GET /warm HTTP/1.1\r\nHost: warm.example\r\n\r\n')
  }
  await client.close()
}

export const nginx: Kind = {
  name: 'nginx',
  program: 'nginx',
  async start(origin) {
    const port = await refusingPort()
    const dir = await folder('nginx-cache')
    const server = await startNginx(
      `http {
        proxy_cache_path ${dir}/cache keys_zone=all:4m use_temp_path=off;
        server {
          listen 127.0.0.1:${port};
          location / {
            proxy_pass ${origin.url};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_cache all;
            proxy_cache_key $scheme$http_host$request_uri;
            proxy_cache_revalidate on;
            proxy_cache_lock on;
            proxy_cache_background_update on;
          }
        }
      }`,
      port,
    )
    return target(origin, port, () => server.close())
  },
}

export const varnish: Kind = {
  name: 'Varnish',
  program: 'varnishd',
  async start(origin) {
    const port = await refusingPort()
    const dir = await folder('varnish')
    const vcl = join(dir, 'default.vcl')
    await writeFile(vcl, `vcl 4.1; backend default { .host = "127.0.0.1"; .port = "${origin.port}"; }`)
    // Nothing is made up where the origin says nothing, and what is stale is kept only to be validated.
    const parameters = ['default_ttl=0', 'default_grace=0', 'default_keep=60', 'thread_pools=1', 'thread_pool_min=10']
    const options = parameters.flatMap((parameter) => ['-p', parameter])
    const args = [
      '-j',
      'none',
      '-F',
      '-f',
      vcl,
      '-a',
      `127.0.0.1:${port}`,
      '-n',
      join(dir, 'work'),
      '-s',
      'malloc,32m',
      ...options,
    ]
    const server = await startPeer('varnishd', args, dir, port)
    return target(origin, port, () => server.close())
  },
}

export const trafficServer: Kind = {
  name: 'Traffic Server',
  program: 'traffic_server',
  async start(origin) {
    const port = await refusingPort()
    const dir = await folder('traffic')
    const at = (name: string): string => join(dir, name)
    for (const name of ['etc', 'run', 'log', 'cache']) await mkdir(at(name))
    await cp('/etc/trafficserver', at('etc'), { recursive: true })
    const paths = {
      prefix: dir,
      exec_prefix: '/usr',
      bindir: '/usr/bin',
      sbindir: '/usr/bin',
      sysconfdir: at('etc'),
      datadir: at('etc'),
      libexecdir: '/usr/lib/trafficserver/modules',
      localstatedir: at('run'),
      runtimedir: at('run'),
      logdir: at('log'),
      cachedir: at('cache'),
    }
    const lines = (entries: readonly (readonly [string, string])[], form: (name: string, value: string) => string) =>
      `${entries.map(([name, value]) => form(name, value)).join('\n')}\n`
    const settings = {
      'http.server_ports STRING': `${port}:ip-in=127.0.0.1`,
      'exec_thread.autoconfig INT': '0',
      'exec_thread.limit INT': '1',
      'admin.user_id STRING': '#-1',
      'log.logging_enabled INT': '0',
      'url_remap.pristine_host_hdr INT': '1',
      'http.cache.required_headers INT': '0',
      'http.cache.ignore_client_cc_max_age INT': '0',
      'http.cache.ignore_client_no_cache INT': '0',
      'http.cache.heuristic_min_lifetime INT': '0',
      'http.cache.range.lookup INT': '1',
      'http.normalize_ae INT': '0',
      'http.connect_attempts_max_retries INT': '0',
    }
    await writeFile(
      at('runroot.yaml'),
      lines(Object.entries(paths), (name, value) => `${name}: ${value}`),
    )
    await writeFile(
      at('etc/records.config'),
      lines(Object.entries(settings), (name, value) => `CONFIG proxy.config.${name} ${value}`),
    )
    await writeFile(at('etc/remap.config'), `regex_map http://(.*)/ ${origin.url}/\nmap / ${origin.url}/\n`)
    await writeFile(at('etc/storage.config'), `${at('cache')} 32M\n`)
    const server = await startPeer('traffic_server', [`--run-root=${at('runroot.yaml')}`], dir, port)
    await isWarm(origin, port)
    return target(origin, port, () => server.close())
  },
}

export const peers: readonly Kind[] = [nginx, varnish, trafficServer]
