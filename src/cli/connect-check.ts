// `frontdesk check --connect`: can each backend be reached from here, and does it pass the health check of its pool? With
// the same PROXY header and settings of TLS as a running Frontdesk.
import { lookup } from 'node:dns/promises'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { compileSnapshot, type TlsMaterial } from '../config/compile.ts'
import type { Config } from '../config/config.ts'
import { type ProbeFailure, probe } from '../control/health/probe.ts'
import { unverifiedPools } from '../control/health/unverified-pools.ts'
import type { BackendSpec, HealthCheckSpec, PoolSpec } from '../core/spec.ts'
import { type BackendContext, BackendContexts, speaksTls } from '../net/tls/backend-context.ts'

export interface Reached {
  readonly pool: string
  readonly url: string
  readonly ok: boolean
  /** Where it connected, how long that took and what the check found, or why it did not. */
  readonly detail: string
}

const usualTimeoutMs = 5000

/** What a start would warn of that no file tells. */
export function doubtsOf(config: Config, material: TlsMaterial): string[] {
  return unverifiedPools(compileSnapshot(config, { ...nobody, material }).pools).map(({ message }) => message)
}

/** Tries all at once; each takes at most as long as the health check of its pool, or its connect timeout without one. */
export function tryBackends(config: Config, material: TlsMaterial): Promise<Reached[]> {
  const { pools } = compileSnapshot(config, { ...nobody, material })
  const contexts = new BackendContexts().update(pools)
  const attempts = pools.flatMap((pool) =>
    pool.backends.map(async (backend): Promise<Reached> => {
      const tls = speaksTls(backend) ? contexts.get(pool.name)! : null
      return { pool: pool.name, url: backend.url, ...(await tryOne(pool, backend, tls)) }
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

/** For pools that are not checked: to be reached is enough. */
const connecting = (timeoutMs: number): HealthCheckSpec => ({
  method: 'tcp',
  path: '/',
  host: null,
  expectFrom: 200,
  expectTo: 399,
  intervalMs: timeoutMs,
  timeoutMs,
  rise: 1,
  fall: 1,
  send: '',
  receive: '',
})

async function tryOne(
  { healthCheck, timeouts, sendProxyProtocol }: PoolSpec,
  backend: BackendSpec,
  tls: BackendContext | null,
): Promise<{ ok: boolean; detail: string }> {
  const startedMs = performance.now()
  const seen: { reached: string | null; failure: ProbeFailure | null } = { reached: null, failure: null }
  const onConnected = (socket: Socket): void => {
    const version = socket instanceof TLSSocket ? `, ${socket.getProtocol() ?? 'TLS'}` : ''
    const place = socket.remoteAddress ?? 'socket'
    seen.reached = `${place} in ${(performance.now() - startedMs).toFixed(0)} ms${version}`
    seen.failure = null
  }
  const onFailure = (one: ProbeFailure): void => {
    seen.failure = one
  }
  try {
    const { ok, reason } = await probe({
      backend,
      check: healthCheck ?? connecting(timeouts.connectMs || usualTimeoutMs),
      addresses: await addressesOf(backend),
      signal: new AbortController().signal,
      tls,
      sendProxyProtocol,
      onConnected,
      onFailure,
    })
    const { reached, failure } = seen
    if (ok) return { ok, detail: `${reached}${reason === 'connected' ? '' : `, ${reason}`}` }
    if (failure !== null) return { ok, detail: explain(failure) }
    return { ok, detail: reached === null ? reason : `${reached}, but the health check failed: ${reason}` }
  } catch (error) {
    return { ok: false, detail: explainCode(error as NodeJS.ErrnoException) }
  }
}

async function addressesOf({ socketPath, host }: BackendSpec): Promise<string[]> {
  if (socketPath !== null) return []
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: is it running, and on this port?',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be resolved now',
  ENOENT: 'there is no such socket',
  EACCES: 'this user may not connect to the socket',
}

function explainCode(error: NodeJS.ErrnoException): string {
  const { code } = error
  const known = reasons[code ?? '']
  return known === undefined ? error.message || String(code) : `${known} (${code})`
}

/** What would mend it, by OpenSSL's name for what is wrong. */
const remedies: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'name its certificate as "ca" in "tls" of the pool',
  SELF_SIGNED_CERT_IN_CHAIN: 'name the file of its authority as "ca" in "tls" of the pool',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'name the file of its authority as "ca" in "tls" of the pool',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'name the file of its authority as "ca" in "tls" of the pool',
  ERR_TLS_CERT_ALTNAME_INVALID: 'name one of its own as "server_name" in "tls" of the pool',
}

function explain({ error, reason, secured }: ProbeFailure): string {
  if (!secured) return explainCode(error)
  const code = error.code ?? ''
  const remedy = remedies[code]
  return `${reason}${remedy === undefined ? '' : `; ${remedy}`}${code === '' ? '' : ` (${code})`}`
}
