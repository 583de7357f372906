// `frontdesk check --connect`: can each backend be reached from here, and is its certificate good?
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { parseBackendUrl } from '../config/backend-url.ts'
import type { PoolConfig } from '../config/config.ts'

export interface Reached {
  readonly pool: string
  readonly url: string
  readonly ok: boolean
  /** Where it connected and how long that took, or why it did not. */
  readonly detail: string
}

/** Tries all at once; each waits at most for its pool's connect timeout. */
export function tryBackends(pools: Readonly<Record<string, PoolConfig>>): Promise<Reached[]> {
  const attempts = Object.entries(pools).flatMap(([pool, { backends, timeouts }]) =>
    backends.map(async ({ url }): Promise<Reached> => {
      const outcome = await tryOne(url, timeouts.connectMs || 5000)
      return { pool, url, ...outcome }
    }),
  )
  return Promise.all(attempts)
}

function tryOne(url: string, timeoutMs: number): Promise<{ ok: boolean; detail: string }> {
  const startedMs = performance.now()
  return new Promise((resolve) => {
    const socket = open(url)
    const settle = (ok: boolean, detail: string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ ok, detail })
    }
    const timer = setTimeout(() => settle(false, `no connection within ${timeoutMs} ms`), timeoutMs)
    socket.on('error', (error: NodeJS.ErrnoException) => settle(false, explain(error)))
    socket.on(url.startsWith('https:') ? 'secureConnect' : 'connect', () => {
      const tookMs = (performance.now() - startedMs).toFixed(0)
      settle(true, `${socket.remoteAddress ?? 'socket'} in ${tookMs} ms`)
    })
  })
}

function open(url: string): Socket {
  const { protocol, host, port, socketPath } = parseBackendUrl(url)
  if (socketPath !== null) return connect({ path: socketPath })
  if (protocol === 'http') return connect({ host, port })
  const isName = /[a-z]/i.test(host) && !host.includes(':')
  return connectTls({ host, port, ...(isName ? { servername: host } : {}) })
}

const trustIt = 'NODE_EXTRA_CA_CERTS=ca.pem in the environment of Frontdesk makes it known'

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: is it running, and on this port?',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be resolved now',
  ENOENT: 'there is no such socket',
  EACCES: 'this user may not connect to the socket',
  DEPTH_ZERO_SELF_SIGNED_CERT: `its certificate is self-signed, and not known here: ${trustIt}`,
  SELF_SIGNED_CERT_IN_CHAIN: `its certificate comes from an authority not known here: ${trustIt}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `its certificate comes from an authority not known here: ${trustIt}`,
  CERT_HAS_EXPIRED: 'its certificate has expired',
}

function explain(error: NodeJS.ErrnoException): string {
  const code =
    error.code ?? (error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException)?.code : undefined)
  const known = reasons[code ?? '']
  return known === undefined ? error.message || String(code) : `${known} (${code})`
}
