// What the operating system and Node say about the process: the usual process_* and nodejs_* metrics.

import { readdir, readFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import type { TextWriter } from './text-writer.ts'

/** Numbers that are read from files; null where the system has no such file. */
interface Descriptors {
  readonly open: number | null
  readonly max: number | null
}

async function readDescriptors(): Promise<Descriptors> {
  const [open, limits] = await Promise.allSettled([readdir('/proc/self/fd'), readFile('/proc/self/limits', 'utf8')])
  const match = limits.status === 'fulfilled' ? /^Max open files\s+(\d+)/m.exec(limits.value) : null
  return {
    open: open.status === 'fulfilled' ? open.value.length : null,
    max: match === null ? null : Number(match[1]),
  }
}

/** Remembers the last scrape, for the utilisation since then. */
export class ProcessMetrics {
  #lastUtilization = performance.eventLoopUtilization()

  async write(writer: TextWriter): Promise<void> {
    const descriptors = await readDescriptors()
    const cpu = process.cpuUsage()
    const memory = process.memoryUsage()
    const user = cpu.user / 1e6
    const system = cpu.system / 1e6
    writer.family('process_cpu_user_seconds_total').sample('', user)
    writer.family('process_cpu_system_seconds_total').sample('', system)
    writer.family('process_cpu_seconds_total').sample('', user + system)
    writer.family('process_start_time_seconds').sample('', Math.round(performance.timeOrigin) / 1000)
    writer.family('process_resident_memory_bytes').sample('', memory.rss)
    if (descriptors.open !== null) writer.family('process_open_fds').sample('', descriptors.open)
    if (descriptors.max !== null) writer.family('process_max_fds').sample('', descriptors.max)
    writer.family('nodejs_version_info').sample(`version="${process.version}"`, 1)
    writer.family('nodejs_heap_size_total_bytes').sample('', memory.heapTotal)
    writer.family('nodejs_heap_size_used_bytes').sample('', memory.heapUsed)
    writer.family('nodejs_external_memory_bytes').sample('', memory.external)
    const now = performance.eventLoopUtilization()
    const since = performance.eventLoopUtilization(now, this.#lastUtilization)
    this.#lastUtilization = now
    writer.family('nodejs_eventloop_utilization_ratio').sample('', since.utilization)
  }
}
