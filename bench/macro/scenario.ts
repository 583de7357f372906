// What a scenario is, what is measured in most of them, and the scenarios that are nothing but a load.
import type { Backend } from './backend.ts'
import type { LoadResult } from './load-tools.ts'
import { applyLoad, type Cpus, type Instance, type Load, type LoadName, loads } from './loads.ts'
import { resetPeak, treeUsage } from './measure.ts'
import type { Front } from './rivals.ts'

/** One measured number. A metric with `ratio` is also shown relative to nginx. */
export interface Metric {
  readonly key: string
  readonly title: string
  readonly digits: number
  readonly ratio?: boolean
}

export type Values = Readonly<Record<string, number>>

/** What a measurement needs to know besides the instance. */
export interface Conditions {
  readonly cpus: Cpus
  readonly backend: Backend
  /** For what a load needs; removed with the run. */
  readonly directory: string
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly soakSeconds: number
  readonly idleConnections: number
  /** Of nginx with 64 connections and small answers; 0 unless the scenario asks for it. */
  readonly nginxMaxRate: number
}

/** One process (or tree of them) of a proxy that a scenario needs. */
export interface InstanceSpec {
  readonly workers: number
  /** Size of its cache, by the proxy's name where they differ; 0 = it only passes on. Counts for the front `cache` alone. */
  readonly cacheMiB?: number | Readonly<Record<string, number>>
}

export interface Scenario {
  readonly name: string
  readonly title: string
  readonly metrics: readonly Metric[]
  /** Its answer is checked before anything is measured. */
  readonly path: string
  /** Only proxies that have it take part. */
  readonly front: Front
  /** Started of each proxy. */
  readonly instances: readonly InstanceSpec[]
  /** They may use the cores for two workers. */
  readonly pair?: boolean
  /** A new process for every measurement, where the memory of earlier ones would disturb. */
  readonly fresh?: boolean
  readonly maxRounds?: number
  readonly needsNginxRate?: boolean
  readonly warmUp?: Load
  measure(instances: readonly Instance[], conditions: Conditions): Promise<Values>
}

export const cpu: Metric = { key: 'cpuUs', title: 'CPU µs/req', digits: 1, ratio: true }
export const rate: Metric = { key: 'rps', title: 'req/s', digits: 0, ratio: true }
export const p50: Metric = { key: 'p50Ms', title: 'p50 ms', digits: 3, ratio: true }
export const p99: Metric = { key: 'p99Ms', title: 'p99 ms', digits: 3, ratio: true }
export const peak: Metric = { key: 'peakMiB', title: 'peak MiB', digits: 1, ratio: true }
export const busy: Metric = { key: 'busy', title: 'core busy %', digits: 0 }

/** CPU time of the instance's processes over a load, with the load's own numbers. */
export async function metered<T extends LoadResult>(instance: Instance, run: () => Promise<T>): Promise<[Values, T]> {
  resetPeak(instance.pid)
  const before = treeUsage(instance.pid)
  const startedMs = performance.now()
  const result = await run()
  const after = treeUsage(instance.pid)
  const cpuUs = after.cpuUs - before.cpuUs
  const values = {
    cpuUs: cpuUs / result.requests,
    rps: result.requests / result.seconds,
    p50Ms: result.p50Us / 1000,
    p99Ms: result.p99Us / 1000,
    peakMiB: after.peakKiB / 1024,
    busy: cpuUs / (performance.now() - startedMs) / 10,
  }
  return [values, result]
}

/** CPU per request under one of the named loads. */
export function loadScenario(name: LoadName, title: string): Scenario {
  const load: Load = loads[name]
  return {
    name,
    title,
    metrics: [cpu, rate, p50, p99, peak, busy],
    path: load.path,
    front: load.front,
    instances: [{ workers: 1 }],
    warmUp: load,
    async measure([instance], { cpus, seconds }) {
      const [values] = await metered(instance!, () => applyLoad(instance!, load, cpus, seconds))
      return values
    },
  }
}
