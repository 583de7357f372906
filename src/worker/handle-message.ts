// What a data plane does with the supervisor's messages, in a thread or in the main thread.
import type { DataPlane } from './data-plane.ts'
import { listenFailed } from './open-error.ts'
import type { FromWorker, ToWorker } from './protocol.ts'

/** Carries out one message; answers where the protocol asks for it. */
export function handleMessage(target: DataPlane, message: ToWorker, answer: (message: FromWorker) => void): void {
  switch (message.type) {
    case 'apply': {
      let failure: string | null = null
      try {
        target.apply(message.snapshot)
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error)
      }
      answer({ type: 'applied', id: message.id, error: failure })
      return
    }
    case 'addresses':
      target.setAddresses(message.slot, message.addresses)
      return
    case 'ticket-keys':
      target.setTicketKeys(message.keys)
      return
    case 'cut':
      target.cutBackend(message.slot)
      return
    case 'keep':
      target.openListener(message.listener).catch((error) => answer(listenFailed(error)))
      return
    case 'accepted':
      target.takeConnection(message.listener, message.socket, 'tcp')
      return
    case 'drain':
      target.drain()
      return
    case 'close':
      target.close()
  }
}
