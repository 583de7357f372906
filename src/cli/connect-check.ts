// `frontdesk check --connect`: can each backend be reached from here, and is its certificate good? With the same settings
// of TLS as a worker has.
import { connect, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { compileSnapshot, type TlsMaterial } from '../config/compile.ts'
import type { Config } from '../config/config.ts'
import type { BackendSpec } from '../core/spec.ts'
import { type BackendContext, BackendContexts, BackendTls, speaksTls } from '../net/tls/backend-context.ts'
import { tlsFailure } from '../net/tls/backend-failure.ts'

export interface Reached {
  readonly pool: string
  readonly url: string
  readonly ok: boolean
  /** Where it connected and how long that took, or why it did not. */
  readonly detail: string
}

const usualTimeoutMs = 5000

/** Tries all at once; each waits at most for its pool's connect timeout. */
export function tryBackends(config: Config, material: TlsMaterial): Promise<Reached[]> {
  const { pools } = compileSnapshot(config, { ...nobody, material })
  const contexts = new BackendContexts().update(pools)
  const attempts = pools.flatMap(({ name, backends, timeouts }) =>
    backends.map(async (backend): Promise<Reached> => {
      const context = speaksTls(backend) ? contexts.get(name)! : null
      const outcome = await tryOne(backend, context, timeouts.connectMs || usualTimeoutMs)
      return { pool: name, url: backend.url, ...outcome }
    }),
  )
  return Promise.all(attempts)
}

/** Nothing is shared with workers: there are none. */
const nobody = {
  generation: 0,
  instanceId: '',
  stickySecret: '',
  slotOf: () => 0,
  cursorOf: () => 0,
  listenerRowOf: () => 0,
}

function tryOne(
  backend: BackendSpec,
  context: BackendContext | null,
  timeoutMs: number,
): Promise<{ ok: boolean; detail: string }> {
  const { host, port, socketPath } = backend
  const startedMs = performance.now()
  return new Promise((resolve) => {
    const socket = socketPath === null ? connect({ host, port }) : connect({ path: socketPath })
    const settle = (ok: boolean, detail: string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ ok, detail })
    }
    const reached = (secured: TLSSocket | null): void => {
      const tookMs = (performance.now() - startedMs).toFixed(0)
      const version = secured === null ? '' : `, ${secured.getProtocol() ?? 'TLS'}`
      settle(true, `${socket.remoteAddress ?? 'socket'} in ${tookMs} ms${version}`)
    }
    const timer = setTimeout(() => settle(false, `no connection within ${timeoutMs} ms`), timeoutMs)
    socket.once('error', (error) => settle(false, explain(error)))
    socket.once('connect', () => {
      if (context === null) reached(null)
      else secure(socket, new BackendTls(context, backend), reached, settle)
    })
  })
}

function secure(
  socket: Socket,
  tls: BackendTls,
  reached: (secured: TLSSocket) => void,
  settle: (ok: boolean, detail: string) => void,
): void {
  const secured = tls.start(socket)
  let failure: NodeJS.ErrnoException | null = null
  secured.once('secureConnect', () => reached(secured))
  secured.on('error', (error) => (failure = error))
  secured.once('close', () => settle(false, explainTls(failure, tls.name)))
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: is it running, and on this port?',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be resolved now',
  ENOENT: 'there is no such socket',
  EACCES: 'this user may not connect to the socket',
}

function explain(error: NodeJS.ErrnoException): string {
  const code =
    error.code ?? (error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException)?.code : undefined)
  const known = reasons[code ?? '']
  return known === undefined ? error.message || String(code) : `${known} (${code})`
}

/** What would mend it, by OpenSSL's name for what is wrong. */
const remedies: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'name its certificate as "ca" in "tls" of the pool',
  SELF_SIGNED_CERT_IN_CHAIN: 'name the file of its authority as "ca" in "tls" of the pool',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'name the file of its authority as "ca" in "tls" of the pool',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'name the file of its authority as "ca" in "tls" of the pool',
}

function explainTls(error: NodeJS.ErrnoException | null, name: string): string {
  const { reason } = tlsFailure(error)
  const code = error?.code ?? ''
  const remedy =
    code === 'ERR_TLS_CERT_ALTNAME_INVALID'
      ? `than ${name}; name one of its own as "server_name" in "tls" of the pool`
      : remedies[code]
  const separator = code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? ' ' : ': '
  return `${reason}${remedy === undefined ? '' : separator + remedy}${code === '' ? '' : ` (${code})`}`
}
