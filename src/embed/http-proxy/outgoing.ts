// The request that a target gets: options for node:http, made of the client's request and the options of the proxy.
import type { IncomingMessage, RequestOptions } from 'node:http'
import type { RequestOptions as HttpsRequestOptions } from 'node:https'
import { isIP } from 'node:net'
import { currentFields, type Field, rawValue } from '../current-fields.ts'
import { announcedBody } from '../node-request.ts'
import { endToEnd } from './end-to-end.ts'
import { setForwarded } from './forwarded.ts'
import type { ServerOptions } from './options.ts'
import type { Target } from './target.ts'

export type OutgoingOptions = HttpsRequestOptions & {
  readonly headers: Record<string, string | string[]>
  /** Expect, which is not among the headers: Node sends a head at once where it sees that one there. */
  readonly expect: string | undefined
}

/** What differs between an ordinary request and an upgrade. */
export interface Kind {
  readonly isUpgrade: boolean
  /** The client waits for 100 (Continue), and the target is to say it. */
  readonly awaitsContinue: boolean
}

export function outgoingOptions(
  req: IncomingMessage,
  target: Target,
  options: ServerOptions,
  kind: Kind,
): OutgoingOptions {
  const { hostname, port, socketPath, isSecure } = target
  const outgoing: RequestOptions = {
    hostname,
    port,
    method: kind.isUpgrade ? 'GET' : (options.method ?? req.method ?? 'GET'),
    path: pathFor(req.url ?? '/', target, options),
    agent: options.agent ?? false,
    setHost: false,
    ...(socketPath !== undefined && { socketPath }),
    ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
  }
  const headers = headersFor(req, target, options, kind)
  const expect = kind.awaitsContinue ? req.headers.expect : undefined
  if (!isSecure) return { ...outgoing, headers, expect }
  return {
    ...outgoing,
    headers,
    expect,
    ...target.tls,
    ...(options.ca !== undefined && { ca: options.ca as string }),
    // Whatever Host says: it is the target that is spoken to.
    ...(isIP(hostname) === 0 && { servername: hostname }),
    rejectUnauthorized: options.secure !== false,
  }
}

/** The request's path and query behind the target's, as they came: double slashes and dots are not ours to change. */
function pathFor(url: string, target: Target, options: ServerOptions): string {
  const isAbsolute = /^https?:\/\//i.test(url)
  if (isAbsolute && options.toProxy === true) return url
  const before = options.prependPath === false ? '' : target.path
  const targetQuery = options.prependPath === false ? '' : target.query
  if (options.ignorePath === true) return (before || '/') + targetQuery
  const base = before.replace(/\/$/, '')
  if (url === '*') return url
  const own = isAbsolute ? url.replace(/^https?:\/\/[^/?]*/i, '') : url
  const at = own.indexOf('?')
  const [path, query] = at < 0 ? [own, ''] : [own.slice(0, at), own.slice(at)]
  const joined = base + (path.startsWith('/') || path === '' ? path : `/${path}`)
  return (joined || '/') + (targetQuery === '' ? query : targetQuery + query.replace('?', '&'))
}

/** Everything that belongs to the client's connection is taken off before anything is added (CVE-2026-33805). */
function headersFor(
  req: IncomingMessage,
  target: Target,
  options: ServerOptions,
  { isUpgrade }: Kind,
): Record<string, string | string[]> {
  const fields = new Map<string, Field>(endToEnd(currentFields(req)))
  const set = (name: string, value: string | readonly string[]): void => {
    fields.set(name.toLowerCase(), { name, values: typeof value === 'string' ? [value] : value.map(String) })
  }
  fields.delete('expect')
  if (options.changeOrigin === true || !fields.has('host')) {
    const authority = req.headers[':authority']
    set('Host', options.changeOrigin !== true && typeof authority === 'string' ? authority : target.authority)
  } // The program has seen the first one only.
  else set('Host', fields.get('host')!.values[0]!)
  frame(req, options.buffer !== undefined, fields, set)
  if (isUpgrade) {
    set('Connection', 'Upgrade')
    set('Upgrade', 'websocket')
  }
  if (options.xfwd === true) setForwarded(fields, req, options, isUpgrade)
  const auth = options.auth ?? target.auth
  if (auth !== '') set('Authorization', `Basic ${Buffer.from(auth).toString('base64')}`)
  for (const [name, value] of Object.entries(options.headers ?? {})) set(name, value)
  return Object.fromEntries(
    [...fields.values()].map(({ name, values }) => [name, values.length === 1 ? values[0]! : [...values]]),
  )
}

/**
 * As the message came, whatever `req.headers` says by now. What has a body says so: Node sends that of a GET without any
 * framing, and the target takes it for another request.
 */
function frame(
  req: IncomingMessage,
  hasBuffer: boolean,
  fields: Map<string, Field>,
  set: (name: string, value: string) => void,
): void {
  const length = rawValue(req, 'content-length')
  fields.delete('content-length')
  if (announcedBody(req) === 'chunked' || (hasBuffer && length === undefined)) set('Transfer-Encoding', 'chunked')
  else if (length !== undefined) set('Content-Length', length)
}
