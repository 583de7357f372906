// The backends of a running Frontdesk in the hands of the program that embeds it.
import { addInput, removeInput, updateInput } from './admin/backend-inputs.ts'
import type { BackendCalls } from './backend-calls.ts'
import type {
  AddBackend,
  AddOptions,
  BackendName,
  Backends,
  DrainBackend,
  RemoveBackend,
  RemovedBackend,
  UpdateBackend,
} from './backends.ts'
import type { Asked } from './changes.ts'
import { ControlError } from './control-error.ts'
import type { BackendStatus } from './status-document.ts'

export type { Backends } from './backends.ts'

const asked = (call: string): Asked => ({ by: 'program', cause: `backends.${call}` })

/** @throws ControlError `invalid` for input that the schemas of the admin API refuse. */
export class ProgramBackends implements Backends {
  readonly #calls: BackendCalls

  constructor(calls: BackendCalls) {
    this.#calls = calls
  }

  list(): Promise<BackendStatus[]> {
    return this.#calls.list()
  }

  async add(backend: string | AddBackend, options: AddOptions = {}): Promise<BackendStatus> {
    const { waitMs } = options
    if (waitMs !== undefined && !(waitMs >= 0)) throw noTime(waitMs)
    return this.#calls.add(addInput(named(backend)), asked('add'), { waitMs })
  }

  async update(backend: UpdateBackend): Promise<BackendStatus> {
    return this.#calls.update(updateInput(backend), asked('update'))
  }

  async drain(backend: string | DrainBackend): Promise<BackendStatus> {
    const { url, pool, drain } = named<DrainBackend>(backend)
    return this.#calls.update(updateInput({ url, pool, state: 'drain', drain }), asked('drain'))
  }

  async remove(backend: string | RemoveBackend): Promise<RemovedBackend> {
    const { wait = false, ...rest } = named(backend)
    const { drainMs, ...at } = removeInput(rest)
    return this.#calls.remove(at, { drainMs, wait }, asked('remove'))
  }
}

function noTime(waitMs: unknown): ControlError {
  const message = `is a number of milliseconds, not ${String(waitMs)}`
  return new ControlError('invalid', `waitMs ${message}`, [{ path: 'waitMs', message }])
}

const named = <B extends BackendName>(backend: string | B): B =>
  typeof backend === 'object' && backend !== null ? backend : ({ url: backend } as B)
