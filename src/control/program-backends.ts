// The backends of a running Frontdesk in the hands of the program that embeds it.
import { addInput, removeInput, updateInput } from './admin/backend-inputs.ts'
import type { AddBackend, BackendCalls, BackendName, RemovedBackend, UpdateBackend } from './backend-calls.ts'
import type { BackendStatus } from './status.ts'

export interface RemoveBackend extends BackendName {
  /** How long what is in flight may take, such as `"10s"` or seconds; default 30s, 0 cuts it. */
  readonly drain?: string | number | undefined
  /** Resolve when nothing of it is in flight any more. */
  readonly wait?: boolean | undefined
}

/**
 * The same calls as the admin API's, with its rules and answers. A change is kept where the configuration has a
 * `state_file`, and in force in every worker when its promise resolves. All reject with ControlError, and then nothing
 * has changed. A string stands for an object with that `url`.
 */
export interface Backends {
  /** Those in their pools, then removed ones that are still finishing. */
  list(): Promise<BackendStatus[]>
  /** Its first health check runs at once. One that is draining is taken back. */
  add(backend: string | AddBackend): Promise<BackendStatus>
  /** Only what is named changes. */
  update(backend: UpdateBackend): Promise<BackendStatus>
  /** No new clients; bound ones stay until they are gone. `update` with `state: 'up'` takes it back. */
  drain(backend: string | BackendName): Promise<BackendStatus>
  /** No new requests; those in flight may finish. */
  remove(backend: string | RemoveBackend): Promise<RemovedBackend>
}

/** @throws ControlError `invalid` for input that the schemas of the admin API refuse. */
export class ProgramBackends implements Backends {
  readonly #calls: BackendCalls

  constructor(calls: BackendCalls) {
    this.#calls = calls
  }

  list(): Promise<BackendStatus[]> {
    return this.#calls.list()
  }

  async add(backend: string | AddBackend): Promise<BackendStatus> {
    return this.#calls.add(addInput(named(backend)))
  }

  async update(backend: UpdateBackend): Promise<BackendStatus> {
    return this.#calls.update(updateInput(backend))
  }

  async drain(backend: string | BackendName): Promise<BackendStatus> {
    const { url, pool } = named(backend)
    return this.#calls.update(updateInput({ url, pool, state: 'drain' }))
  }

  async remove(backend: string | RemoveBackend): Promise<RemovedBackend> {
    const { wait = false, ...rest } = named(backend)
    const { drainMs, ...at } = removeInput(rest)
    return this.#calls.remove(at, { drainMs, wait })
  }
}

const named = <B extends BackendName>(backend: string | B): B =>
  typeof backend === 'string' ? ({ url: backend } as B) : backend
