// A time limit for what others take. What this thread was busy with something else is not theirs: meanwhile it could not
// have seen an answer, and a configuration of 10,000 routes takes a second to be read.

import { performance } from 'node:perf_hooks'

/** Less is not worth another look. */
const leastMs = 5
/** A thread that has no rest must not wait for ever. */
const mostTimes = 4

/** Calls back after so much time in which this thread could have seen an answer. Returns what ends it. */
export function afterFairTime(limitMs: number, onEnd: () => void): () => void {
  const start = performance.eventLoopUtilization()
  const latestMs = performance.now() + mostTimes * limitMs
  let givenMs = 0
  const look = (): void => {
    const busyMs = performance.eventLoopUtilization(start).active
    const owedMs = busyMs - givenMs
    if (owedMs < leastMs || (givenMs > 0 && performance.now() >= latestMs)) {
      onEnd()
      return
    }
    givenMs = busyMs
    timer = setTimeout(look, Math.min(owedMs, limitMs))
  }
  let timer = setTimeout(look, limitMs)
  return () => clearTimeout(timer)
}
