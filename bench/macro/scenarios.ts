// The scenarios: what load each one makes, what it measures, and with how many workers and processes.
import { setTimeout as wait } from 'node:timers/promises'
import { cacheScenarios } from './cache-scenarios.ts'
import { openIdleConnections } from './idle-connections.ts'
import { runPace } from './load-tools.ts'
import { applyLoad, connections, loads } from './loads.ts'
import { treeUsage } from './measure.ts'
import { busy, cpu, loadScenario, metered, p50, p99, type Scenario } from './scenario.ts'

const halfLoad: Scenario = {
  name: 'half-load',
  title: `131-byte JSON at half of nginx's greatest rate (open loop, Poisson arrivals), ${connections} keep-alive connections`,
  metrics: [p50, p99, cpu, { key: 'kept', title: 'kept up %', digits: 1 }, busy],
  path: '/small',
  front: 'http',
  instances: [{ workers: 1 }],
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
  instances: [{ workers: 1 }, { workers: 2 }],
  pair: true,
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
  instances: [{ workers: 1 }],
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
  instances: [{ workers: 1 }],
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
  ...cacheScenarios,
]
