// Hosts as routes name them: a name, `*.` before one, an address, or `*`.
import { isIPv4, isIPv6 } from 'node:net'
import { hostName } from './backend-url.ts'

/** Normal form: lower case, no closing dot, IPv6 in brackets. Throws an `Error` with a sentence. */
export function routeHost(text: string): string {
  if (text === '*' || isIPv4(text)) return text
  const shown = JSON.stringify(text)
  const literal = /^\[(.*)\]$/.exec(text)?.[1] ?? text
  if (isIPv6(literal) && !literal.includes('%')) return new URL(`http://[${literal}]`).hostname
  if (/:\d+$/.test(text)) throw new Error(`${shown} has a port, which is not compared; name the listener instead`)
  const [star, rest] = text.startsWith('*.') ? ['*.', text.slice(2)] : ['', text]
  const name = hostName(rest)
  if (name !== null) return star + name
  throw new Error(`${shown} is not a host; write "example.com", "*.example.com" or "*"`)
}
