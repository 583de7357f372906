// The metrics of the store of answers: of its memory, and of its disk where there is one.
import type { MetricName } from '../../observe/metric-names.ts'
import type { ControlPort } from '../port.ts'
import type { TextWriter } from './text-writer.ts'

/** Of what is in force; without samples where no route caches. */
export function writeCache(writer: TextWriter, port: Pick<ControlPort, 'caches' | 'cacheDiskProblem'>): void {
  const plane = port.caches?.()[0]
  const memory = plane?.store.totals()
  const disk = plane?.disk?.totals()
  const write = (name: MetricName, value: number | undefined): void => {
    writer.family(name)
    if (value !== undefined) writer.sample('', value)
  }
  write('frontdesk_cache_entries', memory?.entries)
  write('frontdesk_cache_bytes', memory?.used)
  write('frontdesk_cache_size_bytes', memory?.memory)
  write('frontdesk_cache_stored_total', memory?.stored)
  write('frontdesk_cache_evicted_total', memory?.evicted)
  write('frontdesk_cache_purged_total', memory?.purged)
  write('frontdesk_cache_disk_entries', disk?.entries)
  write('frontdesk_cache_disk_bytes', disk?.used)
  write('frontdesk_cache_disk_size_bytes', disk?.size)
  const isMissing = (port.cacheDiskProblem?.() ?? null) !== null
  write('frontdesk_cache_disk_up', isMissing ? 0 : disk && (disk.state === 'ok' ? 1 : 0))
  write('frontdesk_cache_disk_dropped_total', disk?.dropped)
  write('frontdesk_cache_disk_damaged_total', disk?.damaged)
}
