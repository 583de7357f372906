// The options of http-proxy 1.18: each works as its README says, or is refused with words that say what to do instead.
import type { Agent } from 'node:http'
import type { ServerOptions as HttpsServerOptions } from 'node:https'
import type { Readable } from 'node:stream'
import { compileCidrs } from '../../util/cidr.ts'
import { parseTarget, TARGET_KEYS, type TargetDetails } from './target.ts'

/** A URL, or its parts. */
export type ProxyTarget = string | URL | TargetDetails

/** Old domains or paths by new ones; `*` = all others. '' takes the attribute away. */
export type Rewrites = string | Readonly<Record<string, string>> | false

export interface ServerOptions {
  /** Whom requests go to. */
  readonly target?: ProxyTarget | undefined
  /** Gets a copy of each request; its answers, and its failures, are ignored. */
  readonly forward?: ProxyTarget | undefined
  /** Of node:http or node:https. Default: a connection for each request. */
  readonly agent?: Agent | false | undefined
  /** For `listen`: options of https.createServer. */
  readonly ssl?: HttpsServerOptions | undefined
  /** For `listen`: upgrades are passed on. */
  readonly ws?: boolean | undefined
  /** Sends X-Forwarded-For, -Port, -Proto and -Host. */
  readonly xfwd?: boolean | undefined
  /** Ours: addresses whose X-Forwarded-* are continued with `xfwd`; default none, then they are replaced. */
  readonly trustedProxies?: readonly string[] | undefined
  /** False = certificates of the target are not verified. */
  readonly secure?: boolean | undefined
  /** A request for an absolute URL is passed on as such: the target is a proxy, too. */
  readonly toProxy?: boolean | undefined
  /** Puts the target's path before the request's; default true. */
  readonly prependPath?: boolean | undefined
  /** Leaves the request's path and query out. */
  readonly ignorePath?: boolean | undefined
  /** Address that connections to the target come from. */
  readonly localAddress?: string | undefined
  /** Host becomes the target's. */
  readonly changeOrigin?: boolean | undefined
  /** Names of response fields keep their case; default: lower case. */
  readonly preserveHeaderKeyCase?: boolean | undefined
  /** `user:password`, sent as Authorization in place of the client's. */
  readonly auth?: string | undefined
  /** Authorities for targets with TLS. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined
  /** Method in place of the request's. */
  readonly method?: string | undefined
  /** Host of Location in redirects that lead to the target. */
  readonly hostRewrite?: string | undefined
  /** The same, with the host that the client asked for. */
  readonly autoRewrite?: boolean | undefined
  /** `http` or `https`, the protocol in such a Location. */
  readonly protocolRewrite?: string | null | undefined
  readonly cookieDomainRewrite?: Rewrites | undefined
  readonly cookiePathRewrite?: Rewrites | undefined
  /** Fields for the target, in place of the client's. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined
  /** Milliseconds of silence of the target after which the request fails (ETIMEDOUT). */
  readonly proxyTimeout?: number | undefined
  /** Milliseconds of silence of the client after which its connection is closed. */
  readonly timeout?: number | undefined
  /** Refused where it is true. */
  readonly followRedirects?: boolean | undefined
  /** The answer is the business of whoever listens for `proxyRes`. */
  readonly selfHandleResponse?: boolean | undefined
  /** Sent as the body in place of the request's own. */
  readonly buffer?: Readable | undefined
}

type Check = (value: unknown) => string | null

const is =
  (type: string): Check =>
  (value) =>
    typeof value === type ? null : `is to be a ${type}`
const isObject: Check = (value) => (typeof value === 'object' ? null : 'is to be an object')
const isTarget: Check = (value) => {
  try {
    parseTarget(value as ProxyTarget)
    return null
  } catch (error) {
    return (error as Error).message
  }
}
const isMs: Check = (value) =>
  typeof value === 'number' && value >= 0 ? null : 'is to be a number of milliseconds, 0 or more'
const isNetworks: Check = (value) => {
  if (!Array.isArray(value)) return 'is to be a list of addresses'
  try {
    compileCidrs(value as string[])
    return null
  } catch (error) {
    return `is wrong: ${(error as Error).message}`
  }
}
const isRewrites: Check = (value) =>
  value === false || typeof value === 'string' || (typeof value === 'object' && !Array.isArray(value))
    ? null
    : 'is to be false, a string, or an object of strings'

/** Framing is the proxy's own business: a length that is not the body's lets one message become two. */
const isHeaders: Check = (value) => {
  if (typeof value !== 'object') return 'is to be an object'
  const framing = Object.keys(value as object).find((name) =>
    /^(?:content-length|transfer-encoding|upgrade)$/i.test(name),
  )
  return framing === undefined ? null : `cannot have ${framing}: how long the body is, is not a matter of options`
}

const refusesRedirects: Check = (value) =>
  value === true
    ? 'is not done here: a proxy that goes wherever a target points it lets that target reach everything the proxy can. ' +
      'Let clients follow; hostRewrite, autoRewrite and protocolRewrite bring them back through the proxy'
    : is('boolean')(value)

const checks: Readonly<Record<keyof ServerOptions, Check>> = {
  target: isTarget,
  forward: isTarget,
  agent: (value) => (value === false || typeof value === 'object' ? null : 'is to be an agent, or false'),
  ssl: isObject,
  ws: is('boolean'),
  xfwd: is('boolean'),
  trustedProxies: isNetworks,
  secure: is('boolean'),
  toProxy: is('boolean'),
  prependPath: is('boolean'),
  ignorePath: is('boolean'),
  localAddress: is('string'),
  changeOrigin: is('boolean'),
  preserveHeaderKeyCase: is('boolean'),
  auth: is('string'),
  ca: () => null,
  method: is('string'),
  hostRewrite: is('string'),
  autoRewrite: is('boolean'),
  protocolRewrite: (value) => (/^https?:?$/.test(String(value)) ? null : "is to be 'http' or 'https'"),
  cookieDomainRewrite: isRewrites,
  cookiePathRewrite: isRewrites,
  headers: isHeaders,
  proxyTimeout: isMs,
  timeout: isMs,
  followRedirects: refusesRedirects,
  selfHandleResponse: is('boolean'),
  buffer: (value) => (typeof (value as { pipe?: unknown }).pipe === 'function' ? null : 'is to be a stream'),
}

/** What others call it, and what it is here. */
const elsewhere: Readonly<Record<string, string>> = {
  pathRewrite: 'is of http-proxy-middleware: change req.url before, or use routes of proxyHandler',
  pathFilter: 'is of http-proxy-middleware: ask before calling web(), or use the option filter of proxyHandler',
  router: 'is of http-proxy-middleware: give web() a target, or use routes of proxyHandler',
  on: 'is of http-proxy-middleware: call proxy.on(event, listener)',
  plugins: 'is of http-proxy-middleware: call proxy.on(event, listener)',
  ejectPlugins: 'is of http-proxy-middleware: there are none here',
  logger: 'is of http-proxy-middleware: listen for events',
  logLevel: 'is of http-proxy-middleware: listen for events',
}

/** @throws TypeError for an option that does not exist, has a value it cannot have, or is not done here. */
export function checkOptions(options: ServerOptions): void {
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || value === null) continue
    const check = Object.hasOwn(checks, key) ? checks[key as keyof ServerOptions] : null
    const problem = check === null ? (elsewhere[key] ?? unknown(key)) : check(value)
    if (problem !== null) throw new TypeError(`http-proxy option ${JSON.stringify(key)} ${problem}`)
  }
}

function unknown(key: string): string {
  const ofTarget = (TARGET_KEYS as readonly string[]).includes(key) ? ': it belongs into target' : ''
  return `does not exist${ofTarget}; the options are ${Object.keys(checks).join(', ')}`
}
