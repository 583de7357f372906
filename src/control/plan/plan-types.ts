// What a change of the configuration does, step by step: for people before they do it, and for programs. Names are part
// of the admin API.

import type { Conflict, Json } from '../../config/document/types.ts'

/** One value that is another; `from` absent = it was not there, `to` absent = it is not there any more. */
export interface PlannedChange {
  /** Within what the step is about, as the file has it: `health_check.interval`; '' = all of it. */
  readonly path: string
  readonly from?: Json
  readonly to?: Json
}

export interface PlanStep {
  readonly action: 'add' | 'change' | 'move' | 'remove' | 'drain'
  readonly kind: 'listener' | 'pool' | 'backend' | 'route' | 'plugins' | 'certificate' | 'workers' | 'setting'
  /** Name of the listener, pool or route, URL of the backend, file of the certificate, key of the setting. */
  readonly name: string
  /** Of a backend. */
  readonly pool?: string
  readonly changes: readonly PlannedChange[]
  /** Live connections and exchanges that it touches: those of what is removed. */
  readonly connections: number
  /** In words, what the rest does not say. */
  readonly note?: string
}

/** A conflict as the admin API tells it. */
export interface PlanConflict extends Omit<Conflict, 'path'> {
  readonly path: string
}

export interface Plan {
  readonly steps: readonly PlanStep[]
  /** Where file and API say different things about one value, and which of them is in force. */
  readonly conflicts: readonly PlanConflict[]
  readonly touched_connections: number
  /** Keys that only another process can follow; if there are any, nothing is changed. */
  readonly needs_restart: readonly string[]
}

/** What is open now. */
export interface LiveCounts {
  backend(pool: string, url: string): number
  listener(name: string): number
}
