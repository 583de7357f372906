// The bits of a backend's availability. Each has one owner; available = none of `unavailableMask` is set, one load.

export const Flag = {
  /** Active health check says down. */
  PROBE_DOWN: 1,
  /** Taken out for a while after failed live connections. */
  EJECTED: 2,
  /** By the administrator. */
  DISABLED: 4,
  /** By the administrator or a removal: no new clients, bound ones stay. */
  DRAINING: 8,
  /** No longer in any pool; the slot is about to be free. */
  REMOVED: 16,
  /** Not checked yet. Does not make it unavailable. */
  UNKNOWN: 32,
} as const

/** One flag, or several or'ed. */
export type FlagBits = number

/** Any of these: not for a new client. */
export const unavailableMask: FlagBits = Flag.PROBE_DOWN | Flag.EJECTED | Flag.DISABLED | Flag.DRAINING | Flag.REMOVED

/** Any of these: not for a client that is bound to it either. */
export const unusableWhenBoundMask: FlagBits = unavailableMask & ~Flag.DRAINING
