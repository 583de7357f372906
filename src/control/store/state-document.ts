// What the state file remembers between two lives of the process: the sticky secret, the revision, and what the admin
// API changed about the configured backends (the overlay).

/** What may be said about a backend, over or instead of the configuration file. */
export interface BackendSettings {
  readonly weight?: number
  /** 0 = no limit. */
  readonly maxConnections?: number
  readonly backup?: boolean
  readonly state?: AdminState
}

/** What an operator wants of a backend, whatever its health. */
export type AdminState = 'up' | 'drain' | 'disabled'

/** Backends of one pool that differ from the configuration file; keys are URLs in normal form. */
export interface PoolOverlay {
  readonly added: Readonly<Record<string, BackendSettings>>
  readonly removed: readonly string[]
  readonly patched: Readonly<Record<string, BackendSettings>>
}

export type Overlay = Readonly<Record<string, PoolOverlay>>

/** The body of the state file. */
export interface StateDocument {
  /** Grows by one with every acknowledged change. */
  readonly revision: number
  /** 32 random bytes as hex: the key of sticky cookies when the configuration names none. */
  readonly stickySecret: string
  readonly overlay: Overlay
  /** Base name of the configuration file the overlay belongs to; older files, and runs without a file, have none. */
  readonly configuration?: string
}

export const emptyPoolOverlay: PoolOverlay = Object.freeze({ added: {}, removed: [], patched: {} })

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function isSettings(value: unknown): value is BackendSettings {
  if (!isObject(value)) return false
  const { weight, maxConnections, backup, state } = value
  return (
    (weight === undefined || isCount(weight)) &&
    (maxConnections === undefined || isCount(maxConnections)) &&
    (backup === undefined || typeof backup === 'boolean') &&
    (state === undefined || state === 'up' || state === 'drain' || state === 'disabled')
  )
}

const isSettingsRecord = (value: unknown): boolean => isObject(value) && Object.values(value).every(isSettings)

function isPoolOverlay(value: unknown): boolean {
  if (!isObject(value)) return false
  const { added, removed, patched } = value
  const urls = Array.isArray(removed) && removed.every((url) => typeof url === 'string')
  return urls && isSettingsRecord(added) && isSettingsRecord(patched)
}

/** Whether a parsed body has the shape this version writes: a checksum proves who wrote it, not that it is well formed. */
export function isStateDocument(value: unknown): value is StateDocument {
  if (!isObject(value)) return false
  const { revision, stickySecret, overlay, configuration } = value
  return (
    isCount(revision) &&
    typeof stickySecret === 'string' &&
    /^[0-9a-f]{64}$/.test(stickySecret) &&
    (configuration === undefined || typeof configuration === 'string') &&
    isObject(overlay) &&
    Object.values(overlay).every(isPoolOverlay)
  )
}
