// One word for what a backend's flags mean together: what an operator wants comes before what its health says.

import { Flag, type FlagBits } from '../../state/flags.ts'

export const backendStates = ['unknown', 'up', 'down', 'draining', 'disabled', 'ejected'] as const
export type BackendState = (typeof backendStates)[number]

export function stateOfFlags(flags: FlagBits): BackendState {
  if ((flags & (Flag.DRAINING | Flag.REMOVED)) !== 0) return 'draining'
  if ((flags & Flag.DISABLED) !== 0) return 'disabled'
  if ((flags & Flag.PROBE_DOWN) !== 0) return 'down'
  if ((flags & Flag.EJECTED) !== 0) return 'ejected'
  return (flags & Flag.UNKNOWN) !== 0 ? 'unknown' : 'up'
}
