// Waiting in tests: for a condition or a promise, never for a length of time. A deadline turns a hang into a message.

/** Longest any single wait may take before the test fails. */
export const DEADLINE_MS = 10_000

/** Kept from before a test may put a clock of its own in its place. */
const later = globalThis.setTimeout
/** Looked at in every turn of the loop for so long, then each millisecond: what is waited for needs the processor too. */
const EAGER_MS = 2

/** Resolves when `holds` returns true, looking again and again; fails with `what` after the deadline. */
export async function until(what: string, holds: () => boolean, deadlineMs: number = DEADLINE_MS): Promise<void> {
  const startedAt = performance.now()
  while (!holds()) {
    const waitedMs = performance.now() - startedAt
    if (waitedMs > deadlineMs) throw new Error(`waited ${deadlineMs} ms in vain until ${what}`)
    await new Promise<void>((resolve) => (waitedMs < EAGER_MS ? setImmediate(resolve) : later(resolve, 1)))
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
