// What something takes up on the heap, told by collecting garbage before and after.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
/** Collects all garbage now. */
export const collect = runInNewContext('gc') as () => void

const held: { value: unknown } = { value: null }

/** Bytes of what `make` returns and keeps alive, beyond what was there before. */
export function bytesOf(make: () => unknown): number {
  // Once for code and caches, in the same variable: nothing of it is left on the stack while the real one is counted.
  held.value = make()
  held.value = null
  const before = heapUsed()
  held.value = make()
  const after = heapUsed()
  held.value = null
  return after - before
}

function heapUsed(): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}
