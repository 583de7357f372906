// One attempt at a backend as middleware sees it.
import type { BackendRequestView, RequestView } from '../../core/plugin.ts'
import { FieldChanges } from '../hygiene/field-changes.ts'

export class BackendRequestRecord implements BackendRequestView {
  readonly request: RequestView
  readonly pool: string
  readonly backend: string
  readonly attempt: number
  /** Of this attempt alone; null = nothing. */
  changes: FieldChanges | null = null

  constructor(request: RequestView, pool: string, backend: string, attempt: number) {
    this.request = request
    this.pool = pool
    this.backend = backend
    this.attempt = attempt
  }

  setHeader(name: string, value: string): void {
    this.changes ??= new FieldChanges()
    this.changes.set(name, value)
  }

  addHeader(name: string, value: string): void {
    this.changes ??= new FieldChanges()
    this.changes.add(name, value)
  }

  removeHeader(name: string): void {
    this.changes ??= new FieldChanges()
    this.changes.remove(name)
  }
}
