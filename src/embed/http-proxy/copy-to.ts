// A body on its way to a target. Not by `pipe`: what writing throws is to end one exchange, not the process.
import type { ClientRequest } from 'node:http'
import type { Readable } from 'node:stream'

/** Copies all of it, as fast as the target takes it. What is left when the target has gone is dropped. */
export function copyTo(to: ClientRequest, source: Readable, onError: (error: Error) => void): void {
  const guarded = (call: () => void): void => {
    if (to.destroyed) return
    try {
      call()
    } catch (error) {
      onError(error as Error)
    }
  }
  source.on('data', (bytes) =>
    guarded(() => {
      if (!to.write(bytes)) source.pause()
    }),
  )
  source.on('end', () => guarded(() => to.end()))
  to.on('drain', () => source.resume())
  to.on('close', () => source.resume())
}
