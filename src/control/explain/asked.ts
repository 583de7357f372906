// The request that somebody asks about, read as a worker would read it: by the same parser, with the same rules.
import type { ErrorSpec } from '../../core/errors.ts'
import type { ListenerSpec, Snapshot } from '../../core/spec.ts'
import { TOKEN } from '../../http/http1/grammar.ts'
import { parseRequestHead, type RequestHead } from '../../http/http1/request-head.ts'
import { reservedFields } from '../../http/site.ts'
import type { ClientFactsOfStep } from '../../http/steps/request-record.ts'
import { compileCidrs } from '../../util/cidr.ts'
import { ControlError } from '../control-error.ts'
import { takesRoutes } from '../lists/route-list.ts'

/** As it was given. */
export interface ExplainInput {
  readonly method: string
  /** Absolute, or a target. */
  readonly url: string | null
  readonly headers: Readonly<Record<string, string>>
  /** Address. */
  readonly client: string
  /** Null = the one that the URL leads to. */
  readonly listener: string | null
  /** What a TLS client asks for, where its TLS is passed on. */
  readonly serverName: string | null
  /** Application protocols that it offers. */
  readonly alpn: readonly string[]
}

/** What a worker would have of it. */
export interface Asked {
  readonly head: RequestHead | ErrorSpec
  readonly client: ClientFactsOfStep
}

const ABSOLUTE = /^(https?):\/\/([^/?#]*)([^#]*)/i

/** The listener that is meant. @throws ControlError not-found, invalid. */
export function listenerFor(input: ExplainInput, { listeners }: Snapshot): ListenerSpec {
  const { listener: name, url, serverName } = input
  if (name !== null) {
    const found = listeners.find((one) => one.name === name)
    if (found !== undefined) return found
    const known = listeners.map((one) => one.name).join(', ')
    const message = `there is no listener ${name}; there are ${known}`
    throw new ControlError('not-found', message, [{ path: 'listener', message }])
  }
  const found = url === null ? listenerOfName(serverName, listeners) : listenerOfUrl(url, listeners)
  if (found !== undefined) return found
  const what = url === null ? 'passes TLS on' : 'speaks HTTP'
  throw new ControlError('invalid', `no listener ${what}`, [{ path: 'listener', message: `no listener ${what}` }])
}

/** By port, then by scheme, else the first one that routes take. */
function listenerOfUrl(url: string, all: readonly ListenerSpec[]): ListenerSpec | undefined {
  const http = all.filter(({ protocol }) => protocol === 'http')
  const [, scheme = '', authority = ''] = ABSOLUTE.exec(url) ?? []
  const port = Number(/:(\d+)$/.exec(authority)?.[1] ?? 0)
  const isSecure = scheme.toLowerCase() === 'https'
  return (
    http.find((one) => port !== 0 && one.port === port) ??
    (scheme === '' ? undefined : http.find((one) => (one.tls !== null) === isSecure)) ??
    http.find(takesRoutes) ??
    http[0]
  )
}

function listenerOfName(serverName: string | null, all: readonly ListenerSpec[]): ListenerSpec | undefined {
  const passing = all.find(({ protocol }) => protocol === 'tls-passthrough')
  return serverName === null ? all.find(({ protocol }) => protocol !== 'http') : passing
}

/** @throws ControlError invalid: what no client could send. */
export function readAsked(input: ExplainInput, listener: ListenerSpec, snapshot: Snapshot): Asked {
  const url = input.url ?? '/'
  const [, , authority = '', target = url] = ABSOLUTE.exec(url) ?? []
  if (!/^[/*]/.test(target) && target !== '') refuse('url', 'begins with "/" or "http://"')
  const named = Object.entries(input.headers).find(([name]) => name.toLowerCase() === 'host')?.[1]
  const host = named ?? (authority === '' ? localHostOf(listener) : authority)
  const isTrusted = compileCidrs(snapshot.trustedProxies)
  const tls = listener.tls === null ? null : tlsFacts(input.serverName ?? host.replace(/:\d+$/, ''))
  const client: ClientFactsOfStep = {
    address: input.client,
    port: 0,
    trusted: isTrusted(input.client),
    isSecure: tls !== null,
    tls,
  }
  const { headerCount, targetSize } = snapshot.limits
  const path = target === '' || target.startsWith('?') ? `/${target}` : target
  const text = `${methodOf(input)} ${path} HTTP/1.1\r\nHost: ${host}\r\n${fieldLines(input)}\r\n`
  const scheme = tls === null ? 'http' : 'https'
  const head = parseRequestHead(
    text,
    0,
    text.indexOf('\r\n\r\n'),
    { address: client.address, trusted: client.trusted, scheme, certificate: null },
    {
      instanceId: snapshot.instanceId,
      maxFields: headerCount,
      targetSize,
      isTrusted,
      reserved: reservedFields(snapshot),
      certificateNames: null,
    },
    { fields: null },
  )
  return { head, client }
}

/** As a client on this machine asks: the port is part of what the cache goes by. */
function localHostOf({ port, tls }: ListenerSpec): string {
  return port === 0 || port === (tls === null ? 80 : 443) ? 'localhost' : `localhost:${port}`
}

const tlsFacts = (serverName: string): ClientFactsOfStep['tls'] => ({
  version: 'TLSv1.3',
  serverName: serverName.toLowerCase(),
  alpn: '',
  resumed: false,
  clientCertificate: null,
})

function methodOf({ method }: ExplainInput): string {
  return TOKEN.test(method) ? method : refuse('method', 'is no method')
}

/** All but Host, which is told apart. */
function fieldLines({ headers }: ExplainInput): string {
  let lines = ''
  for (const [name, value] of Object.entries(headers)) {
    if (!TOKEN.test(name)) refuse(`headers.${name}`, 'is no name of a field')
    if (/[\0\r\n]/.test(value)) refuse(`headers.${name}`, 'has a line feed in its value')
    if (name.toLowerCase() !== 'host') lines += `${name}: ${Buffer.from(value.trim(), 'utf8').toString('latin1')}\r\n`
  }
  return lines
}

function refuse(path: string, message: string): never {
  throw new ControlError('invalid', `${path} ${message}`, [{ path, message }])
}
