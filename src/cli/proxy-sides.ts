// Both sides of `frontdesk proxy`: what --from, --to and --tls say, and whether they fit each other.
import { InvalidArgumentError } from 'commander'
import { parseBackendUrl } from '../config/backend-url.ts'
import { parseListenAddress } from '../config/listen-address.ts'
import { kindOfUrl, type PoolKind } from '../config/pool-kind.ts'
import { CliError, ExitCode } from './exit-code.ts'

/** Where to listen, and what for; without a scheme the backends decide. */
export interface From {
  readonly listen: string
  readonly scheme: 'http' | 'https' | 'tcp' | 'tls' | null
}

export interface Target {
  readonly url: string
  readonly weight: number
}

export interface KeyPair {
  readonly cert: string
  readonly key: string
}

/** "8080", "127.0.0.1:8080", "tcp://:5432", "https://:8443", "unix:/run/x.sock". */
export function parseFrom(text: string): From {
  const match = /^(https?|tcp|tls):\/\/(.*?)\/?$/i.exec(text)
  const listen = match?.[2] ?? text
  try {
    parseListenAddress(listen, { anyPort: true })
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`)
  }
  return { listen, scheme: (match?.[1]?.toLowerCase() as From['scheme'] | undefined) ?? null }
}

/** "cert.pem,key.pem"; one name for a file that holds both. */
export function parseKeyPair(text: string): KeyPair {
  const [cert = '', key = cert, ...rest] = text.split(',')
  if (cert === '' || key === '' || rest.length > 0) {
    throw new InvalidArgumentError('Name the file of the certificate and that of its key: cert.pem,key.pem.')
  }
  return { cert, key }
}

/** "http://localhost:3000,3" → the URL and its weight; what is wrong with the URL is told by `listenerFor`. */
export function parseTarget(text: string): Target {
  const match = /^(.*),(\d+)$/.exec(text)
  return match === null ? { url: text, weight: 1 } : { url: match[1] ?? '', weight: Number(match[2]) }
}

/** As a configuration has it. */
interface ListenerOfSides {
  readonly protocol: PoolKind
}

/** The listener that serves the targets. Throws a `CliError` (usage) where the sides do not fit. */
export function listenerFor(from: From, targets: readonly Target[], pair: KeyPair | null): ListenerOfSides {
  const kind = kindOf(from, targets)
  const { scheme } = from
  if ((scheme === 'https' || scheme === 'tls') && pair === null) {
    throw misfit(`${scheme}:// needs a certificate`, `--tls cert.pem,key.pem`)
  }
  if ((scheme === 'http' || scheme === 'tcp') && pair !== null) {
    const secure = scheme === 'http' ? 'https' : 'tls'
    throw misfit(`--tls makes no sense with ${scheme}://`, `listen for TLS with --from ${secure}://${from.listen}`)
  }
  const listener = {
    name: 'default',
    listen: from.listen,
    pool: 'default',
    protocol: kind,
    ...(pair === null ? {} : { tls: { certificates: [pair] } }),
  }
  return listener
}

function kindOf({ scheme }: From, targets: readonly Target[]): PoolKind {
  const kinds = new Map<PoolKind, string>()
  for (const { url } of targets) {
    checkTarget(url, scheme)
    const kind = kindOfUrl(url.toLowerCase())
    if (kind !== null && !kinds.has(kind)) kinds.set(kind, url)
  }
  if (kinds.size > 1) {
    const message = `one proxy serves HTTP or TCP, not both: ${kinds.get('http')}, ${kinds.get('tcp')}`
    throw misfit(message, 'start two, or write a configuration file with two listeners')
  }
  const [[kind, url] = []] = kinds
  const wanted = scheme === null ? undefined : kindOfUrl(`${scheme}:`)!
  if (kind !== undefined && wanted !== undefined && kind !== wanted) {
    const instead = kind === 'tcp' ? '--from tcp://ADDRESS' : '--to tcp://HOST:PORT'
    throw misfit(`--from ${scheme}:// cannot serve ${url}`, instead)
  }
  return kind ?? wanted ?? 'http'
}

function checkTarget(url: string, scheme: From['scheme']): void {
  try {
    parseBackendUrl(url)
  } catch (error) {
    const kind = scheme === null ? 'http' : kindOfUrl(`${scheme}:`)!
    // A port behind a name reads like a scheme; nothing else is mended by one.
    const bare = /^(?:[a-z0-9.-]+|\[[0-9a-f:]+\]):\d+$/i.test(url) || (kind === 'http' && /^[a-z0-9.-]+$/i.test(url))
    if (bare) throw misfit(`--to ${url} has no scheme`, `--to ${kind}://${url}`)
    throw misfit(`--to: ${(error as Error).message}`, `write it like ${exampleUrls[kind]}`)
  }
}

const exampleUrls: Readonly<Record<PoolKind, string>> = {
  http: 'http://localhost:3000',
  tcp: 'tcp://localhost:5432',
}

/** Of the command line itself. */
export const misfit = (message: string, hint: string): CliError =>
  new CliError(message, { exitCode: ExitCode.usage, hint })
