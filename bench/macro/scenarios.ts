// The scenarios: what load each one makes, what it measures, and with how many workers and processes.
import { setTimeout as wait } from 'node:timers/promises'
import { openIdleConnections } from './idle-connections.ts'
import { type LoadResult, runPace } from './load-tools.ts'
import { applyLoad, type Cpus, connections, type Instance, type Load, type LoadName, loads } from './loads.ts'
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
  readonly seconds: number
  readonly soakSeconds: number
  readonly idleConnections: number
  /** Of nginx with 64 connections and small answers; 0 unless the scenario asks for it. */
  readonly nginxMaxRate: number
}

export interface Scenario {
  readonly name: string
  readonly title: string
  readonly metrics: readonly Metric[]
  /** Its answer is checked before anything is measured. */
  readonly path: string
  /** Only proxies that have it take part. */
  readonly front: Front
  /** One instance is started for each entry, with that many workers. */
  readonly workers: readonly number[]
  /** A new process for every measurement, where the memory of earlier ones would disturb. */
  readonly fresh?: boolean
  readonly maxRounds?: number
  readonly needsNginxRate?: boolean
  readonly warmUp?: Load
  measure(instances: readonly Instance[], conditions: Conditions): Promise<Values>
}

const cpu: Metric = { key: 'cpuUs', title: 'CPU µs/req', digits: 1, ratio: true }
const rate: Metric = { key: 'rps', title: 'req/s', digits: 0, ratio: true }
const p50: Metric = { key: 'p50Ms', title: 'p50 ms', digits: 3, ratio: true }
const p99: Metric = { key: 'p99Ms', title: 'p99 ms', digits: 3, ratio: true }
const peak: Metric = { key: 'peakMiB', title: 'peak MiB', digits: 1, ratio: true }
const busy: Metric = { key: 'busy', title: 'core busy %', digits: 0 }

/** CPU time of the instance's processes over a load, with the load's own numbers. */
async function metered<T extends LoadResult>(instance: Instance, run: () => Promise<T>): Promise<[Values, T]> {
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
function loadScenario(name: LoadName, title: string): Scenario {
  const load: Load = loads[name]
  return {
    name,
    title,
    metrics: [cpu, rate, p50, p99, peak, busy],
    path: load.path,
    front: load.front,
    workers: [1],
    warmUp: load,
    async measure([instance], { cpus, seconds }) {
      const [values] = await metered(instance!, () => applyLoad(instance!, load, cpus, seconds))
      return values
    },
  }
}

const halfLoad: Scenario = {
  name: 'half-load',
  title: `131-byte JSON at half of nginx's greatest rate (open loop, Poisson arrivals), ${connections} keep-alive connections`,
  metrics: [p50, p99, cpu, { key: 'kept', title: 'kept up %', digits: 1 }, busy],
  path: '/small',
  front: 'http',
  workers: [1],
  needsNginxRate: true,
  warmUp: loads.small,
  async measure([instance], { cpus, seconds, nginxMaxRate }) {
    const options = { port: instance!.port, path: '/small', cpus: cpus.load, seconds, connections }
    const [values, result] = await metered(instance!, () => runPace({ ...options, rate: Math.round(nginxMaxRate / 2) }))
    return { ...values, kept: (100 * result.requests) / result.offered }
  },
}

const twoWorkers: Scenario = {
  name: 'two-workers',
  title: '131-byte JSON, two workers against one of the same proxy, both free to use the same two cores',
  metrics: [
    { key: 'oneUs', title: '1 worker: CPU µs/req', digits: 1, ratio: true },
    { key: 'twoUs', title: '2 workers: CPU µs/req', digits: 1, ratio: true },
    { key: 'growth', title: '2 against 1', digits: 2 },
    { key: 'rps', title: '2 workers: req/s', digits: 0, ratio: true },
  ],
  path: '/small',
  front: 'http',
  workers: [1, 2],
  warmUp: loads.small,
  async measure([one, two], { cpus, seconds }) {
    const [first] = await metered(one!, () => applyLoad(one!, loads.small, cpus, seconds))
    const [second] = await metered(two!, () => applyLoad(two!, loads.small, cpus, seconds))
    const [oneUs, twoUs] = [first.cpuUs!, second.cpuUs!]
    return { oneUs, twoUs, growth: twoUs / oneUs, rps: second.rps! }
  },
}

/**
 * No load before: its garbage would leave a heap with room for the connections. The first fifth of them takes what the
 * code needs to get going; the growth from there on is the connections' own.
 */
const idle: Scenario = {
  name: 'idle',
  title: 'idle keep-alive connections: growth of resident memory after one request on each',
  metrics: [
    { key: 'kibEach', title: 'KiB/connection', digits: 2, ratio: true },
    { key: 'beforeMiB', title: 'RSS before MiB', digits: 1 },
    { key: 'afterMiB', title: 'RSS after MiB', digits: 1 },
  ],
  path: '/small',
  front: 'http',
  workers: [1],
  fresh: true,
  async measure([instance], { idleConnections }) {
    const { port, pid } = instance!
    const first = await openIdleConnections(port, '/small', idleConnections / 5)
    try {
      const before = await settledRss(pid)
      const held = await openIdleConnections(port, '/small', idleConnections)
      try {
        const after = await settledRss(pid)
        const closed = first.closed() + held.closed()
        if (closed > 0) throw new Error(`${closed} idle connections were closed by the proxy`)
        return { kibEach: (after - before) / idleConnections, beforeMiB: before / 1024, afterMiB: after / 1024 }
      } finally {
        await held.close()
      }
    } finally {
      await first.close()
    }
  },
}

/** KiB, after a pause in which what follows a burst of connections is done. */
async function settledRss(pid: number): Promise<number> {
  await wait(1500)
  return treeUsage(pid).rssKiB
}

const soak: Scenario = {
  name: 'soak',
  title: `131-byte JSON without a pause: growth of resident memory from 10 s to the end`,
  metrics: [
    { key: 'earlyMiB', title: 'RSS at 10 s MiB', digits: 1 },
    { key: 'lateMiB', title: 'RSS at end MiB', digits: 1 },
    { key: 'growthMiB', title: 'growth MiB', digits: 2 },
    { key: 'requests', title: 'requests', digits: 0 },
    cpu,
  ],
  path: '/small',
  front: 'http',
  workers: [1],
  fresh: true,
  maxRounds: 1,
  async measure([instance], { cpus, soakSeconds }) {
    const samples: { atS: number; rssMiB: number }[] = []
    const startedMs = performance.now()
    const sampler = setInterval(() => {
      try {
        samples.push({ atS: (performance.now() - startedMs) / 1000, rssMiB: treeUsage(instance!.pid).rssKiB / 1024 })
      } catch {
        // It has ended; the load reports that.
      }
    }, 250)
    try {
      const [values, result] = await metered(instance!, () => applyLoad(instance!, loads.small, cpus, soakSeconds))
      const earlyS = Math.min(10, soakSeconds / 2)
      const [earlyMiB, lateMiB] = [rssAround(samples, earlyS), rssAround(samples, soakSeconds - 1)]
      return { earlyMiB, lateMiB, growthMiB: lateMiB - earlyMiB, requests: result.requests, cpuUs: values.cpuUs! }
    } finally {
      clearInterval(sampler)
    }
  },
}

/** Median over two seconds, because a collected heap moves up and down. */
function rssAround(samples: readonly { atS: number; rssMiB: number }[], atS: number): number {
  const near = samples.filter((s) => Math.abs(s.atS - atS) <= 1).map((s) => s.rssMiB)
  return near.sort((a, b) => a - b)[near.length >> 1] ?? Number.NaN
}

/** All scenarios, in the order of the report. */
export const scenarios: readonly Scenario[] = [
  loadScenario('small', `131-byte JSON, ${connections} keep-alive connections`),
  loadScenario('64k', `64 KiB, ${connections} keep-alive connections`),
  loadScenario('1m', `1 MiB, ${connections} keep-alive connections`),
  loadScenario('connect', `131-byte JSON, a new connection per request, ${connections} at once`),
  loadScenario('routes', '131-byte JSON through one of 100 routes, with header edits and a rate limit by client'),
  halfLoad,
  twoWorkers,
  idle,
  soak,
  loadScenario('tcp-small', `TCP: 131-byte JSON through a TCP listener, ${connections} kept-alive connections`),
  loadScenario('tcp-1m', `TCP: 1 MiB through a TCP listener, ${connections} kept-alive connections`),
  loadScenario('tls-small', `HTTPS: 131-byte JSON, ${connections} keep-alive connections`),
  loadScenario('tls-1m', `HTTPS: 1 MiB, ${connections} keep-alive connections`),
  loadScenario('tls-handshake', `HTTPS: a full handshake and one request per connection, ${connections} at once`),
  loadScenario('tls-resumed', `HTTPS: a resumed session and one request per connection, ${connections} at once`),
]
