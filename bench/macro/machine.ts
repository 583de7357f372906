// Where a result was measured: enough to compare, nothing that names the machine or its owner.
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import type { Cpus } from './loads.ts'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
}

export function describeMachine(): Machine {
  const model = /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]
  return {
    cpu: model ?? os.cpus()[0]?.model ?? process.arch,
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: `Linux ${os.release()}`,
  }
}

/** Share of all cores (0–1) that was busy over `ms`: measured before anything is started, it is other people's work. */
export async function busyShare(ms: number): Promise<number> {
  const total = () => {
    const times = os.cpus().map((core) => core.times)
    const sum = (pick: (t: (typeof times)[number]) => number) => times.reduce((all, t) => all + pick(t), 0)
    return { idle: sum((t) => t.idle), all: sum((t) => t.user + t.nice + t.sys + t.irq + t.idle) }
  }
  const before = total()
  await wait(ms)
  const after = total()
  return 1 - (after.idle - before.idle) / (after.all - before.all)
}

/** Core 0 for the load and the backend, core 1 for the proxy; a third, where there is one, for the second worker. */
export function planCpus(): Cpus {
  const cores = os.availableParallelism()
  if (process.platform !== 'linux') throw new Error('the benchmark needs Linux (/proc, taskset, epoll)')
  if (cores < 2) throw new Error('the benchmark needs two cores')
  return { load: '0', proxy: '1', pair: cores > 2 ? '1,2' : '0,1' }
}
