// What the admin API tells of the configuration, as far as the command line reads it; docs/reference/openapi.json has the
// whole.
import type { Json } from '../config/document/types.ts'

export interface PlannedChange {
  readonly path: string
  readonly from?: Json
  readonly to?: Json
}

export interface PlanStep {
  readonly action: 'add' | 'change' | 'move' | 'remove' | 'drain'
  readonly kind: string
  readonly name: string
  readonly pool?: string
  readonly changes: readonly PlannedChange[]
  readonly connections: number
  readonly note?: string
}

export interface Plan {
  readonly steps: readonly PlanStep[]
  readonly conflicts: readonly { readonly path: string; readonly wins: string; readonly message: string }[]
  readonly touched_connections: number
  readonly needs_restart: readonly string[]
}

/** The answer of a change, or of its trial. */
export interface ChangeAnswer {
  readonly revision: number
  readonly dry_run: boolean
  readonly changes: readonly string[]
  readonly plan: Plan
  /** Certificates that cannot be used as they are now: the old ones stay in use. */
  readonly refused?: readonly { readonly message: string; readonly hint?: string | null }[]
  readonly warnings?: readonly string[]
}

export interface HistoryEntry {
  readonly revision: number
  readonly at: string
  readonly by: string
  readonly cause: string
  readonly changes: readonly string[]
}

export interface OriginEntry {
  readonly path: string
  readonly value: Json
  /** A change has taken it out. */
  readonly removed?: true
  readonly origin: 'file' | 'environment' | 'command_line' | 'api' | 'default'
  readonly place: string | null
  readonly at: string | null
  readonly by: string | null
  readonly revision: number | null
}
