// Serves the dashboard: `/` for browsers and its files under /assets/. The published package holds them ready and packed;
// a Frontdesk that runs from its TypeScript sources bundles them at the first request and keeps them in memory.

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliDecompress, gzip } from 'node:zlib'
import type { Context } from 'hono'
import type { Log } from '../../core/log.ts'
import type { AdminApp } from './app.ts'

export interface DashboardDeps {
  readonly version: string
  readonly log: Log
  /** Where the files come from, unless from the package or the sources. */
  readonly loadDashboard?: () => Promise<readonly DashboardFile[]>
}

/** A file with its packed forms. */
export interface DashboardFile {
  /** `index.html`, or `assets/…` with a digest of the content in the name. */
  readonly path: string
  readonly content: Buffer
  readonly br: Buffer
  readonly gz: Buffer
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

/**
 * Nothing from elsewhere, nothing inline, nobody frames it; `trusted-types 'none'` forbids making markup or code from text
 * altogether.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const pageHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/**
 * The page and its files: no token, no secret in them. To be added before what guards the calls, so that a link from
 * another page can lead here.
 */
export function addDashboard(app: AdminApp, deps: DashboardDeps): void {
  const files = new Files(deps)
  app.get('/', async (c) => {
    if (!wantsHtml(c.req.header('accept'))) return c.text(wordsForTerminals(deps.version), 200, { vary: 'accept' })
    const found = await files.find('index.html')
    return found instanceof Error ? cannotShow(c, found) : answer(c, found, 'no-cache')
  })
  app.get('/assets/:name', async (c) => {
    const found = await files.find(`assets/${c.req.param('name')}`)
    if (found instanceof Error) return c.text(found.message, 404, { 'cache-control': 'no-store' })
    return answer(c, found, 'public, max-age=31536000, immutable')
  })
}

const wantsHtml = (accept = ''): boolean => /\b(?:text\/html|application\/xhtml\+xml)\b/i.test(accept)

const wordsForTerminals = (version: string): string =>
  `Frontdesk ${version}, admin API. A browser shows the dashboard here.\n/status tells how things are, /openapi.json lists the calls, \`frontdesk status\` shows them.\n`

/** Loaded at the first request; a failure is tried again at the next one. */
class Files {
  readonly #deps: DashboardDeps
  #loading: Promise<ReadonlyMap<string, DashboardFile>> | null = null

  constructor(deps: DashboardDeps) {
    this.#deps = deps
  }

  async find(path: string): Promise<DashboardFile | Error> {
    try {
      this.#loading ??= this.#load()
      const file = (await this.#loading).get(path)
      return file ?? new Error(`There is no ${path}: the page is of another version, load it again`)
    } catch (error) {
      this.#loading = null
      const cause = error as Error
      this.#deps.log.event('warn', 'dashboard_not_shown', `the dashboard cannot be shown: ${cause.message}`)
      return cause
    }
  }

  async #load(): Promise<ReadonlyMap<string, DashboardFile>> {
    const files = await (this.#deps.loadDashboard ?? loadOnce)()
    return new Map(files.map((file) => [file.path, file]))
  }
}

let loaded: Promise<readonly DashboardFile[]> | null = null

/** One bundle for all proxies of a process. */
function loadOnce(): Promise<readonly DashboardFile[]> {
  const fromSources = import.meta.filename.endsWith('.ts')
  loaded ??= fromSources ? bundle() : readPacked(join(import.meta.dirname, '..', '..', 'dashboard'))
  loaded.catch(() => {
    loaded = null
  })
  return loaded
}

async function bundle(): Promise<readonly DashboardFile[]> {
  // Lies outside of src/ and is not part of the package: not to be named where the compiler follows it.
  const builder = join(import.meta.dirname, '..', '..', '..', 'dashboard', 'build.ts')
  const { buildDashboard } = (await import(builder)) as { buildDashboard(effort: number): Promise<DashboardFile[]> }
  // Somebody waits for it.
  return buildDashboard(5)
}

/** In the package each file lies in its smallest form only. */
async function readPacked(folder: string): Promise<readonly DashboardFile[]> {
  const assets = (await readdir(join(folder, 'assets'))).map((name) => `assets/${name}`)
  const paths = ['index.html.br', ...assets].filter((path) => path.endsWith('.br'))
  return Promise.all(
    paths.map(async (path) => {
      const br = await readFile(join(folder, path))
      const content = await promisify(brotliDecompress)(br)
      return { path: path.slice(0, -3), content, br, gz: await promisify(gzip)(content, { level: 9 }) }
    }),
  )
}

function answer(c: Context, file: DashboardFile, cacheControl: string): Response {
  const accepted = c.req.header('accept-encoding') ?? ''
  const encoding = takes(accepted, 'br') ? 'br' : takes(accepted, 'gzip') ? 'gzip' : null
  const etag = `"${createHash('sha256').update(file.content).digest('base64url').slice(0, 16)}-${encoding ?? 'plain'}"`
  const headers: Record<string, string> = {
    ...pageHeaders,
    'cache-control': cacheControl,
    etag,
    vary: file.path === 'index.html' ? 'accept, accept-encoding' : 'accept-encoding',
  }
  const known = (c.req.header('if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  if (known.includes(etag) || known.includes('*')) return c.body(null, 304, headers)
  const body = encoding === 'br' ? file.br : encoding === 'gzip' ? file.gz : file.content
  const type = types[file.path.split('.').at(-1)!] ?? 'application/octet-stream'
  return c.body(new Uint8Array(body), 200, {
    ...headers,
    'content-type': type,
    ...(encoding !== null && { 'content-encoding': encoding }),
  })
}

/** `Accept-Encoding` names the coding and does not refuse it with a weight of 0 (RFC 9110, 12.5.3). */
function takes(accepted: string, coding: string): boolean {
  const item = accepted
    .toLowerCase()
    .split(',')
    .map((part) => part.trim())
    .find((part) => part === coding || part.startsWith(`${coding};`))
  return item !== undefined && !/;\s*q=0(?:\.0*)?\s*$/.test(item)
}

/** The page in place of the dashboard: what is wrong and what to do about it. */
function cannotShow(c: Context, cause: Error): Response {
  const html = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Frontdesk: no dashboard</title>
<h1>The dashboard cannot be shown</h1>
<p>Frontdesk itself is running; only this page is missing.</p>
<pre>${escaped(cause.message)}</pre>
<p>In a checkout: run <code>npm ci</code> (with development dependencies: they hold esbuild, which bundles the page) and
load this page again. In an installed package: install it again, its folder <code>dashboard</code> is incomplete.</p>
<p>The same facts: <a href="/status">/status</a>, <a href="/openapi.json">/openapi.json</a>, and on the command line
<code>frontdesk status</code>.</p>
</html>
`
  return c.html(html, 503, { ...pageHeaders, 'cache-control': 'no-store', 'retry-after': '5' })
}

const escaped = (text: string): string => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`)
