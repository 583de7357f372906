// Waiting in tests: for a condition or a promise, never for a length of time. A deadline turns a hang into a message.

/** Longest any single wait may take before the test fails. */
export const DEADLINE_MS = 5_000

/** Resolves when `holds` returns true, looking again at every turn of the event loop; fails with `what` after the deadline. */
export async function until(what: string, holds: () => boolean, deadlineMs: number = DEADLINE_MS): Promise<void> {
  const giveUpAt = performance.now() + deadlineMs
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new Error(`waited ${deadlineMs} ms in vain until ${what}`)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}

/** The promise's own outcome, or a failure that names `what` after the deadline. */
export async function within<T>(what: string, promise: Promise<T>, deadlineMs: number = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${deadlineMs} ms in vain for ${what}`)), deadlineMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** A promise with its two ends in hand. */
export type Deferred<T> = PromiseWithResolvers<T>

/** A new one. */
export function deferred<T = void>(): Deferred<T> {
  return Promise.withResolvers<T>()
}
