// What Frontdesk promises to reach, as checks over the results.
import { median, type Results, ratio } from './results.ts'

export interface Verdict {
  readonly text: string
  readonly value: number
  readonly limit: number
  readonly reached: boolean
}

interface Target {
  readonly text: string
  readonly scenario: string
  readonly metric: string
  readonly limit: number
  /** Compared as a ratio to this peer, of several to the best; without it the metric itself is compared. */
  readonly peer?: string | readonly string[]
}

const caches = ['nginx', 'nginx-packaged', 'haproxy', 'varnish']

const targets: readonly Target[] = [
  { text: 'small: CPU to nginx', scenario: 'small', metric: 'cpuUs', peer: 'nginx', limit: 1.15 },
  { text: '64 KiB: CPU to nginx', scenario: '64k', metric: 'cpuUs', peer: 'nginx', limit: 1 },
  { text: '1 MiB: CPU to nginx', scenario: '1m', metric: 'cpuUs', peer: 'nginx', limit: 1 },
  { text: 'small: CPU to Go', scenario: 'small', metric: 'cpuUs', peer: 'go', limit: 0.4 },
  { text: 'small: CPU to http-proxy', scenario: 'small', metric: 'cpuUs', peer: 'http-proxy', limit: 0.4 },
  {
    text: 'small: CPU to @fastify/http-proxy',
    scenario: 'small',
    metric: 'cpuUs',
    peer: '@fastify/http-proxy',
    limit: 0.4,
  },
  { text: 'new connections: CPU to nginx', scenario: 'connect', metric: 'cpuUs', peer: 'nginx', limit: 1.4 },
  { text: 'half load: p99 to nginx', scenario: 'half-load', metric: 'p99Ms', peer: 'nginx', limit: 1 },
  { text: 'routes: CPU to nginx', scenario: 'routes', metric: 'cpuUs', peer: 'nginx', limit: 1.15 },
  { text: 'TCP, small: CPU to nginx', scenario: 'tcp-small', metric: 'cpuUs', peer: 'nginx', limit: 1.1 },
  { text: 'TCP, 1 MiB: CPU to nginx', scenario: 'tcp-1m', metric: 'cpuUs', peer: 'nginx', limit: 1 },
  { text: 'TLS, small: CPU to nginx', scenario: 'tls-small', metric: 'cpuUs', peer: 'nginx', limit: 1.1 },
  { text: 'TLS, 1 MiB: CPU to nginx', scenario: 'tls-1m', metric: 'cpuUs', peer: 'nginx', limit: 1.1 },
  { text: 'TLS, full handshake: CPU to nginx', scenario: 'tls-handshake', metric: 'cpuUs', peer: 'nginx', limit: 2 },
  {
    text: 'TLS, full handshake: CPU to HAProxy',
    scenario: 'tls-handshake',
    metric: 'cpuUs',
    peer: 'haproxy',
    limit: 1,
  },
  { text: 'TLS, resumed: CPU to nginx', scenario: 'tls-resumed', metric: 'cpuUs', peer: 'nginx', limit: 1.5 },
  { text: 'two workers: CPU to one worker', scenario: 'two-workers', metric: 'growth', limit: 1.1 },
  { text: 'idle connection: KiB', scenario: 'idle', metric: 'kibEach', limit: 10 },
  // A heap that is collected moves by a few MiB; a leak of 1 byte a request would be more than this in a minute.
  { text: 'soak: growth MiB', scenario: 'soak', metric: 'growthMiB', limit: 3 },
  { text: 'hit, small: CPU to HAProxy', scenario: 'cache-small', metric: 'cpuUs', peer: 'haproxy', limit: 1 },
  { text: 'hit, small: CPU to nginx', scenario: 'cache-small', metric: 'cpuUs', peer: 'nginx', limit: 0.6 },
  {
    text: 'hit, small: CPU to nginx as packaged',
    scenario: 'cache-small',
    metric: 'cpuUs',
    peer: 'nginx-packaged',
    limit: 0.6,
  },
  { text: 'hit, small: CPU to Varnish', scenario: 'cache-small', metric: 'cpuUs', peer: 'varnish', limit: 0.6 },
  { text: 'hit, 64 KiB: CPU to the best', scenario: 'cache-64k', metric: 'cpuUs', peer: caches, limit: 1 },
  { text: 'hit, 1 MiB: CPU to the best', scenario: 'cache-1m', metric: 'cpuUs', peer: caches, limit: 1 },
  { text: 'hits, Zipf, two workers: CPU to the best', scenario: 'cache-zipf', metric: 'allUs', peer: caches, limit: 1 },
  { text: 'miss, small: CPU to no cache', scenario: 'cache-miss', metric: 'growth', limit: 1.1 },
  { text: 'miss, 64 KiB: CPU to no cache', scenario: 'cache-miss-64k', metric: 'growth', limit: 1.1 },
  { text: 'not to be stored: CPU to no cache', scenario: 'cache-pass', metric: 'growth', limit: 1.1 },
]

/** One verdict for each target that the results have the numbers for. */
export function judge(results: Results): Verdict[] {
  return targets.flatMap((target) => {
    const value = measured(results, target)
    return value === null ? [] : [{ text: target.text, value, limit: target.limit, reached: value <= target.limit }]
  })
}

/** All metrics that are compared are better when they are smaller: the greatest of the ratios is that to the best. */
function measured(results: Results, { scenario, metric, peer }: Target): number | null {
  if (peer === undefined) return median(results, scenario, 'frontdesk', metric)
  const ratios = [peer].flat().map((name) => ratio(results, scenario, 'frontdesk', metric, name))
  const known = ratios.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}
