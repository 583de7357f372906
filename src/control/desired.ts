// Backends as they shall run: what the configuration says of them, with what an administrator said beside it.

import type { BackendConfig, Config } from '../config/config.ts'
import type { AdminStates } from './store/state-document.ts'

/** What an operator wants of a backend, whatever its health. */
export type AdminState = 'up' | 'drain' | 'disabled'

export interface DesiredBackend extends BackendConfig {
  readonly state: AdminState
  /** ISO 8601: then what is still bound to it is released, and what is open is closed; null = never. */
  readonly drainEndsAt: string | null
}

export type DesiredPools = ReadonlyMap<string, readonly DesiredBackend[]>

/** The backends of every pool. */
export function desiredPools(config: Pick<Config, 'pools'>, states: AdminStates): DesiredPools {
  return new Map(
    Object.entries(config.pools).map(([name, { backends }]) => {
      const said = Object.hasOwn(states, name) ? states[name]! : {}
      return [name, backends.map((backend) => desiredBackend(backend, said))]
    }),
  )
}

function desiredBackend(backend: BackendConfig, said: AdminStates[string]): DesiredBackend {
  const admin = Object.hasOwn(said, backend.url) ? said[backend.url]! : undefined
  return { ...backend, state: admin?.state ?? 'up', drainEndsAt: admin?.drainEndsAt ?? null }
}
