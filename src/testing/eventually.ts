// Waits until something holds, by the real clock, however far that of the test has been moved.
import { setTimeout as realTimeout } from 'node:timers'

/** Milliseconds before it is given up, unless said otherwise. */
export const patienceMs = 5000

// Taken before a test may have moved them.
const now = performance.now.bind(performance)
const realNow = (): number => now()

/**
 * Calls `check` again and again until it neither throws nor gives false; gives what it gave last. Rejects with what it
 * threw last when `timeoutMs` (5000) of real time have gone by.
 */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = patienceMs): Promise<T> {
  const giveUpAt = realNow() + timeoutMs
  for (;;) {
    const late = realNow() > giveUpAt
    try {
      const result = await check()
      if (result !== false) return result
      if (late) throw new Error(`waited ${timeoutMs} ms in vain until ${check}`)
    } catch (error) {
      if (late) throw error
    }
    await realPause(2)
  }
}

/** Real milliseconds. */
export function realPause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    realTimeout(resolve, ms)
  })
}
