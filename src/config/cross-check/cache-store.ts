// The store of answers: no answer may take so much of it that the others have no place.
import { formatByteSize } from '../../util/byte-size.ts'
import { largestShare } from '../schema/cache-store.ts'
import type { Check } from './check.ts'

export function checkCacheStore({ config, report }: Check): void {
  const store = config.cache_store
  if (store === undefined || !store.saysMaxObject) return
  const { memory, maxObject } = store
  if (maxObject <= memory * largestShare) return
  const shown = `${formatByteSize(maxObject)} of ${formatByteSize(memory)}`
  const message = `is more than a quarter of "memory" (${shown}): one answer would push out most of what is stored`
  const hint = `write "memory": "${formatByteSize(maxObject / largestShare)}" or more, or make it smaller`
  report(['cache_store', 'max_object'], message, hint, { value: formatByteSize(maxObject) })
}
