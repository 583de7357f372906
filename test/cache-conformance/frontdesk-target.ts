// Frontdesk as the cache under test: started once for all cases, with a route for each of the settings that they need.
import { startProxy, type TestProxy } from '../support/proxy.ts'
import { until } from '../support/wait.ts'
import type { Case } from './case.ts'
import { Origin } from './origin.ts'
import type { Target } from './play.ts'

export interface FrontdeskTarget extends Target {
  readonly proxy: TestProxy
  /** Nothing is stored any more. */
  forget(): void
  close(): Promise<void>
}

type Config = NonNullable<NonNullable<Parameters<typeof startProxy>[1]>['config']>

/** What answers longer than the cases' are compared with. */
const MAX_OBJECT = '300KB'

/** A case whose origin goes down has one that no other case needs. */
const isFickle = ({ steps }: Case): boolean => steps.some(({ down }) => down)

/** Cases of one key share a route. */
const keyOf = (one: Case): string => JSON.stringify([one.route ?? { cache: true }, isFickle(one)])

/** `workers` 0 = in the test's own thread. */
export async function startFrontdeskTarget(cases: readonly Case[], workers = 0): Promise<FrontdeskTarget> {
  const [steady, fickle] = [await new Origin().up(), await new Origin().up()]
  const keys = [...new Set(cases.map(keyOf))]
  const routes = keys.map((key, at) => {
    const [route, hasFickle] = JSON.parse(key) as [Record<string, unknown>, boolean]
    return { name: `r${at}`, match: { path: `/r${at}/*` }, pool: hasFickle ? 'fickle' : 'default', ...route }
  })
  const pool = { health_check: { method: 'none' }, retries: { attempts: 0 } }
  const config = {
    pools: { default: { backends: [steady.url], ...pool }, fickle: { backends: [fickle.url], ...pool } },
    cache_store: { memory: '64MB', max_object: MAX_OBJECT },
    routes,
  }
  const proxy = await startProxy([], { config: config as Config, workers })
  const clock = proxy.running.cacheStore!
  return {
    proxy,
    port: proxy.port,
    originOf: (one) => (isFickle(one) ? fickle : steady),
    prefixOf: (one) => `/r${keys.indexOf(keyOf(one))}`,
    clock: { now: () => clock.now(), move: (ms) => clock.moveClock(ms) },
    // What comes in the background is stored when its backend has nothing more to do.
    settle: () =>
      until('nothing is under way', () => Object.values(proxy.active()).every((count) => count === 0) && isFilled()),
    forget: () => void clock.purge({ kind: 'all' }, false),
    async close() {
      await proxy.close()
      await steady.close()
      await fickle.close()
    },
  }

  function isFilled(): boolean {
    return clock.totals().filling === 0
  }
}
