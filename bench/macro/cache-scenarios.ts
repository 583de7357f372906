// The scenarios of the cache: hits of three sizes, many objects that are asked for unevenly, and what storing costs.
import { objectPath } from './backend.ts'
import { type LoadResult, runPace } from './load-tools.ts'
import { applyLoad, connections, type Instance, type Load, loads } from './loads.ts'
import { treeUsage } from './measure.ts'
import { type Conditions, loadScenario, metered, type Scenario } from './scenario.ts'
import { objects, skew, zipfLists } from './zipf.ts'

/** As any load, but the backend must not hear of it. */
function hits(name: 'cache-small' | 'cache-64k' | 'cache-1m', title: string): Scenario {
  const scenario = loadScenario(name, title)
  return {
    ...scenario,
    async measure(instances, conditions) {
      const before = await conditions.backend.requests()
      const values = await scenario.measure(instances, conditions)
      const asked = (await conditions.backend.requests()) - before
      if (asked > 0) throw new Error(`the backend was asked ${asked} times for what should be in the cache`)
      return values
    },
  }
}

/** One instance that caches against one of the same proxy that only passes on, when the cache is of no use. */
function withoutHits(name: 'cache-miss' | 'cache-miss-64k' | 'cache-pass', title: string): Scenario {
  const load: Load = loads[name]
  return {
    name,
    title,
    metrics: [
      { key: 'plainUs', title: 'no cache: CPU µs/req', digits: 1, ratio: true },
      { key: 'cacheUs', title: 'cache: CPU µs/req', digits: 1, ratio: true },
      { key: 'growth', title: 'cache against none', digits: 2 },
      { key: 'rps', title: 'cache: req/s', digits: 0, ratio: true },
    ],
    path: load.path,
    front: load.front,
    instances: [
      { workers: 1, cacheMiB: 0 },
      { workers: 1, cacheMiB: load.cacheMiB! },
    ],
    warmUp: load,
    async measure([plain, caching], { cpus, backend, seconds }) {
      const [first] = await metered(plain!, () => applyLoad(plain!, load, cpus, seconds))
      const before = await backend.requests()
      const [second, { requests }] = await metered(caching!, () => applyLoad(caching!, load, cpus, seconds))
      const asked = (await backend.requests()) - before
      if (asked < requests) throw new Error(`the backend was asked ${asked} times for ${requests} answers`)
      const [plainUs, cacheUs] = [first.cpuUs!, second.cpuUs!]
      return { plainUs, cacheUs, growth: cacheUs / plainUs, rps: second.rps! }
    },
  }
}

/** What holds a tenth of the objects, as each of them counts: nginx whole blocks of 4 KiB, HAProxy of 1 KiB. */
const tenthMiB = { frontdesk: 16, nginx: 40, 'nginx-packaged': 40, haproxy: 20, varnish: 16 }

const zipf: Scenario = {
  name: 'cache-zipf',
  title:
    `${objects.toLocaleString('en')} objects of 1 KiB, asked for with a Zipf distribution (${skew}), two workers on the cores of the load; ` +
    'a cache that holds all, then one for a tenth of them',
  metrics: [
    { key: 'allUs', title: 'all: CPU µs/req', digits: 1, ratio: true },
    { key: 'allHits', title: 'all: hits %', digits: 2 },
    { key: 'allRps', title: 'all: req/s', digits: 0, ratio: true },
    { key: 'tenthUs', title: 'tenth: CPU µs/req', digits: 1, ratio: true },
    { key: 'tenthHits', title: 'tenth: hits %', digits: 2 },
    { key: 'emptyMiB', title: 'RSS empty MiB', digits: 0 },
    { key: 'fullMiB', title: 'with all MiB', digits: 0 },
    { key: 'bytesEach', title: 'bytes/object', digits: 0 },
  ],
  path: objectPath(1),
  front: 'cache',
  instances: [
    { workers: 2, cacheMiB: 512 },
    { workers: 2, cacheMiB: tenthMiB },
  ],
  pair: true,
  fresh: true,
  warmUp: loads['cache-small'],
  async measure([large, small], conditions) {
    const { draws, all } = zipfLists(conditions.directory)
    const emptyKiB = treeUsage(large!.pid).rssKiB
    await ask(large!, conditions, 1, { file: all, from: 0, once: true })
    const fullKiB = treeUsage(large!.pid).rssKiB
    const first = await drawn(large!, conditions, draws)
    const second = await drawn(small!, conditions, draws)
    return {
      allUs: first.cpuUs,
      allHits: first.hits,
      allRps: first.rps,
      tenthUs: second.cpuUs,
      tenthHits: second.hits,
      emptyMiB: emptyKiB / 1024,
      fullMiB: fullKiB / 1024,
      bytesEach: ((fullKiB - emptyKiB) * 1024) / objects,
    }
  },
}

/** The same draws for everybody: the first half of the list warms up, the second is measured. */
async function drawn(instance: Instance, conditions: Conditions, file: { path: string; count: number }) {
  const { backend, seconds, warmUpSeconds } = conditions
  await ask(instance, conditions, warmUpSeconds, { file: file.path, from: 0, once: false })
  const before = await backend.requests()
  const second = { file: file.path, from: file.count / 2, once: false }
  const [values, { requests }] = await metered(instance, () => ask(instance, conditions, seconds, second))
  const asked = (await backend.requests()) - before
  return { cpuUs: values.cpuUs!, rps: values.rps!, hits: 100 * (1 - asked / requests) }
}

function ask(
  { port }: Instance,
  { cpus }: Conditions,
  seconds: number,
  list: { file: string; from: number; once: boolean },
): Promise<LoadResult> {
  return runPace({ port, path: '', cpus: cpus.load, seconds, connections, paths: { kind: 'listed', ...list } })
}

/** In the order of the report. */
export const cacheScenarios: readonly Scenario[] = [
  hits('cache-small', `cache: hits of the same 131-byte JSON, ${connections} keep-alive connections`),
  hits('cache-64k', `cache: hits of the same 64 KiB, ${connections} keep-alive connections`),
  hits('cache-1m', `cache: hits of the same 1 MiB, ${connections} keep-alive connections`),
  zipf,
  withoutHits('cache-miss', 'cache: every request for another path, 131-byte JSON, stored; against passing on alone'),
  withoutHits('cache-miss-64k', 'cache: every request for another path, 64 KiB, stored; against passing on alone'),
  withoutHits('cache-pass', 'cache: 131-byte JSON that forbids storing; against passing on alone'),
]
