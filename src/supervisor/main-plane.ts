// A data plane in the main thread: where there are no workers, and for connections that cannot be handed to one.
import type { WorkerInfo } from '../control/port.ts'
import type { PluginLoader } from '../plugins/plugin-loader.ts'
import { DataPlane, type DataPlaneOptions } from '../worker/data-plane.ts'
import { MessageHandler } from '../worker/handle-message.ts'
import type { FromWorker, ToWorker } from '../worker/protocol.ts'

export interface MainPlaneOptions extends Omit<DataPlaneOptions, 'post'> {
  readonly plugins: PluginLoader
  readonly onMessage: (plane: MainPlane, message: FromWorker) => void
}

export class MainPlane {
  readonly id: number
  readonly plane: DataPlane
  state: WorkerInfo['state'] = 'running'
  /** It has nothing to do any more. */
  ending = false
  readonly #handler: MessageHandler

  constructor({ plugins, onMessage, ...options }: MainPlaneOptions) {
    this.id = options.workerId
    const answer = (message: FromWorker): void => onMessage(this, message)
    this.plane = new DataPlane({ ...options, post: answer })
    this.#handler = new MessageHandler({ plane: this.plane, plugins, answer })
  }

  /** As that of a thread. */
  post(message: ToWorker): boolean {
    this.#handler.handle(message)
    return true
  }

  /** Closes everything; resolves when what was cut has been logged, and what is to be on disk is there. */
  async close(): Promise<void> {
    this.post({ type: 'close' })
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    await this.plane.diskClosed
  }
}
