// What there is room for, and which files must not be each other.
import { dirname, resolve } from 'node:path'
import { show } from '../problem.ts'
import type { WrittenRoute } from '../schema/route.ts'
import type { Path } from '../source-tree.ts'
import type { Check } from './check.ts'

/** What shared memory has room for. */
const maxPools = 1024
const maxBackends = 16_384
const maxAffinityTables = 8

export function checkRoom({ config, report }: Check): void {
  const { routes } = config
  const pools = Object.values(config.pools)
  if (pools.length > maxPools) report(['pools'], `has ${pools.length} pools`, `at most ${maxPools} are possible`)
  const count = pools.reduce((sum, pool) => sum + pool.backends.length, 0)
  if (count > maxBackends) report(['pools'], `has ${count} backends in all`, `at most ${maxBackends} are possible`)
  const splits = routes.filter(({ action }) => action.kind === 'split').length
  if (splits > 0 && pools.length <= maxPools && pools.length + splits > maxPools) {
    const message = `has ${splits} splits beside ${pools.length} pools`
    report(['routes'], message, `at most ${maxPools} of both together are possible`)
  }
  const inTables = (parts: readonly { readonly sticky: WrittenRoute['sticky'] }[]): number =>
    parts.filter(({ sticky }) => sticky !== null && sticky !== 'none' && sticky.by !== 'cookie').length
  const ofRoutes = inTables(routes)
  const tables = inTables(pools) + ofRoutes
  if (tables > maxAffinityTables) {
    const what = ofRoutes === 0 ? 'pools' : tables === ofRoutes ? 'routes' : 'routes and pools'
    const message = `has ${tables} ${what} that are sticky by ip or header`
    report([ofRoutes === 0 ? 'pools' : 'routes'], message, `at most ${maxAffinityTables} are possible`)
  }
}

/** A state file in another's place would move that file aside, or be written into. */
export function checkFiles({ config, options, report }: Check): void {
  const { access } = config.logging
  const folder = options.path === null ? process.cwd() : dirname(resolve(options.path))
  const at = (name: string | null | undefined): string | null => (name == null ? null : resolve(folder, name))
  const state = at(config.state_file)
  const log = at(access?.file)
  const own = options.path === null ? null : resolve(options.path)
  const hint = 'name another file'
  if (own !== null && state === own) {
    report(['state_file'], `${show(config.state_file)} is this configuration file`, hint)
  }
  if (log === null) return
  const path: Path = ['logging', 'access', 'file']
  if (log === own) report(path, `${show(access?.file)} is this configuration file`, hint)
  else if (log === state) report(path, `${show(access?.file)} is the state file`, hint)
}
