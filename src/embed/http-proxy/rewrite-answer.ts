// What the options change of a target's answer: redirects that lead to the target, domains and paths of cookies.
import type { IncomingMessage } from 'node:http'
import type { Rewrites, ServerOptions } from './options.ts'
import type { Target } from './target.ts'

const REDIRECTS = new Set([201, 301, 302, 307, 308])

/** Location, if it leads to the target: elsewhere it is nobody's business. Null = it stays. */
export function rewriteLocation(
  answer: Pick<IncomingMessage, 'statusCode' | 'headers'>,
  req: IncomingMessage,
  target: Target,
  options: ServerOptions,
): string | null {
  const { hostRewrite, autoRewrite = false, protocolRewrite } = options
  const { location } = answer.headers
  if (location === undefined || !REDIRECTS.has(answer.statusCode ?? 0)) return null
  if (hostRewrite === undefined && !autoRewrite && !protocolRewrite) return null
  if (!URL.canParse(location)) return null
  const url = new URL(location)
  if (url.host !== target.authority) return null
  const host = hostRewrite ?? (autoRewrite ? req.headers.host : undefined)
  const authority = host ?? url.host
  const protocol = protocolRewrite ? `${protocolRewrite.replace(/:$/, '')}:` : url.protocol
  // As text: a URL changes its own port only with care, and the rest is to stay as it is.
  return `${protocol}//${authority}${location.replace(/^[a-z]+:\/\/[^/?#]*/i, '')}`
}

/** One Set-Cookie value. */
export function rewriteCookie(value: string, options: ServerOptions): string {
  let cookie = value
  if (options.cookieDomainRewrite !== undefined)
    cookie = rewriteAttribute(cookie, 'domain', options.cookieDomainRewrite)
  if (options.cookiePathRewrite !== undefined) cookie = rewriteAttribute(cookie, 'path', options.cookiePathRewrite)
  return cookie
}

function rewriteAttribute(cookie: string, attribute: string, rewrites: Rewrites): string {
  if (rewrites === false) return cookie
  const [pair, ...attributes] = cookie.split(';')
  const changed = attributes.flatMap((text) => {
    const [name = '', ...rest] = text.split('=')
    if (name.trim().toLowerCase() !== attribute || rest.length === 0) return [text]
    const now = newValue(rest.join('=').trim(), rewrites)
    if (now === null) return [text]
    return now === '' ? [] : [`${name}=${now}`]
  })
  return [pair, ...changed].join(';')
}

/** Null = as it is. */
function newValue(value: string, rewrites: string | Readonly<Record<string, string>>): string | null {
  if (typeof rewrites === 'string') return rewrites
  if (Object.hasOwn(rewrites, value)) return rewrites[value]!
  return Object.hasOwn(rewrites, '*') ? rewrites['*']! : null
}
