// The origin server behind every proxy: one nginx worker answering from memory and the page cache, keep-alive without end.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { service } from './gateway.ts'
import { nginxHttp, nginxMain } from './nginx-config.ts'
import { freePort, type Running, start, stop, waitForPort } from './processes.ts'

export interface Backend {
  readonly port: number
  readonly url: string
  /** How many requests it has had, these questions not counted. */
  requests(): Promise<number>
  stop(): Promise<void>
}

/** 131 bytes. */
const smallJson =
  '{"id":47110815,"name":"Frontdesk","role":"reverse proxy","tags":["http","keep-alive","json"],"active":true,"note":"a small answer"}'

/** Every object below this path has a body of its own, which names its path. */
export const objectPath = (index: number) => `/object/${String(index).padStart(6, '0')}`

const objectBytes = 1024

/** Body length in bytes of each request target the backend serves. */
export const bodyBytes: Readonly<Record<string, number>> = {
  '/small': 131,
  [`/${service}/small`]: 131,
  '/64k': 65_536,
  '/1m': 1_048_576,
  '/cached/small': 131,
  '/cached/64k': 65_536,
  '/cached/1m': 1_048_576,
  '/unique/small/': 131,
  '/unique/64k/': 65_536,
  '/private/small': 131,
  [objectPath(1)]: objectBytes,
}

/** Starts the backend on a free port of 127.0.0.1, pinned to `cpus`; its files go below `directory`. */
export async function startBackend(directory: string, cpus: string): Promise<Backend> {
  const root = join(directory, 'backend')
  mkdirSync(join(root, 'files'), { recursive: true })
  for (const path of ['/64k', '/1m']) writeFileSync(join(root, 'files', path.slice(1)), filler(bodyBytes[path]!))
  const port = await freePort()
  writeFileSync(join(root, 'nginx.conf'), nginxConfig(root, port))
  const running: Running = start({
    command: ['nginx', '-e', 'stderr', '-p', root, '-c', join(root, 'nginx.conf')],
    cpus,
    logPath: join(root, 'log'),
  })
  await waitForPort(running, port)
  let asked = 0
  const requests = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/requests`)).text()
    return Number(/\n \d+ \d+ (\d+)/.exec(text)![1]) - ++asked
  }
  return { port, url: `http://127.0.0.1:${port}`, requests, stop: () => stop(running) }
}

function nginxConfig(root: string, port: number): string {
  return `${nginxMain(root, 1)}
${nginxHttp(root)}  keepalive_timeout 3600s;
  sendfile on;
  open_file_cache max=16;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${root}/files;
    location = /small { default_type application/json; return 200 '${smallJson}'; }
    location = /${service}/small { default_type application/json; return 200 '${smallJson}'; }
    location / { default_type application/octet-stream; }
    location = /requests { stub_status; }
${cachedLocations(root)}  }
}
`
}

/** What may be cached says so, and is as complete as answers of files are; below `unique` any path has the same answer. */
function cachedLocations(root: string): string {
  const small = (more: string) => `default_type application/json; ${more} return 200 '${smallJson}';`
  const lasting = `add_header Cache-Control "public, max-age=3600";`
  const dated = `${lasting} add_header Last-Modified "Fri, 20 Nov 2026 10:00:00 GMT"; add_header ETag '"5e1f-83"';`
  const object = `{"path":"$uri","text":"`
  const text = 'x'.repeat(objectBytes - object.length + '$uri'.length - objectPath(1).length - 2)
  return `    location = /cached/small { ${small(dated)} }
    location /unique/small/ { ${small(dated)} }
    location = /private/small { ${small('add_header Cache-Control "no-store";')} }
    location /object/ { default_type application/json; ${dated} return 200 '${object}${text}"}'; }
    location = /cached/64k { default_type application/octet-stream; ${lasting} alias ${root}/files/64k; }
    location = /cached/1m { default_type application/octet-stream; ${lasting} alias ${root}/files/1m; }
    location /unique/64k/ { default_type application/octet-stream; ${lasting} rewrite ^ /64k break; }
`
}

/** Text that differs from line to line, so that a proxy that loses or repeats a part is noticed. */
function filler(length: number): string {
  let text = ''
  for (let line = 0; text.length < length; line++) text += `${String(line).padStart(8, '0')} ${'x'.repeat(54)}\n`
  return text.slice(0, length)
}
