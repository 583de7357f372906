// The origin server behind every proxy: one nginx worker answering from memory and the page cache, keep-alive without end.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { service } from './gateway.ts'
import { nginxHttp, nginxMain } from './nginx-config.ts'
import { freePort, type Running, start, stop, waitForPort } from './processes.ts'

export interface Backend {
  readonly port: number
  readonly url: string
  stop(): Promise<void>
}

/** 131 bytes. */
const smallJson =
  '{"id":47110815,"name":"Frontdesk","role":"reverse proxy","tags":["http","keep-alive","json"],"active":true,"note":"a small answer"}'

/** Body length in bytes of each request target the backend serves. */
export const bodyBytes: Readonly<Record<string, number>> = {
  '/small': 131,
  [`/${service}/small`]: 131,
  '/64k': 65_536,
  '/1m': 1_048_576,
}

/** Starts the backend on a free port of 127.0.0.1, pinned to `cpus`; its files go below `directory`. */
export async function startBackend(directory: string, cpus: string): Promise<Backend> {
  const root = join(directory, 'backend')
  mkdirSync(join(root, 'files'), { recursive: true })
  for (const [path, length] of Object.entries(bodyBytes)) {
    if (!path.endsWith('/small')) writeFileSync(join(root, 'files', path.slice(1)), filler(length))
  }
  const port = await freePort()
  writeFileSync(join(root, 'nginx.conf'), nginxConfig(root, port))
  const running: Running = start({
    command: ['nginx', '-e', 'stderr', '-p', root, '-c', join(root, 'nginx.conf')],
    cpus,
    logPath: join(root, 'log'),
  })
  await waitForPort(running, port)
  return { port, url: `http://127.0.0.1:${port}`, stop: () => stop(running) }
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
  }
}
`
}

/** Text that differs from line to line, so that a proxy that loses or repeats a part is noticed. */
function filler(length: number): string {
  let text = ''
  for (let line = 0; text.length < length; line++) text += `${String(line).padStart(8, '0')} ${'x'.repeat(54)}\n`
  return text.slice(0, length)
}
