// Routes: their names, the pools and listeners that they name, and only keys that mean something for what they do.
import { closest } from '../../util/edit-distance.ts'
import type { WrittenRoute } from '../schema/route.ts'
import type { Path } from '../source-tree.ts'
import type { Check } from './check.ts'
import { checkConflicts } from './conflicts.ts'
import { poolHint } from './kinds.ts'
import { checkRedirects } from './redirects.ts'
import { checkAccess, checkLimits } from './route-gates.ts'
import { checkKeysOfRoute, checkPrefix } from './route-keys.ts'
import { itemPath, keyPath, targetPath, writtenPlace } from './route-places.ts'
import { checkTexts } from './route-texts.ts'

export function checkRoutes(check: Check): void {
  const { config, report } = check
  const { routes, listeners } = config
  if (routes.length > 0 && knowsListeners(check) && !listeners.some(({ protocol }) => protocol === 'http')) {
    report(['routes'], 'are for http, but no listener speaks it', 'add a listener, or remove them', { atKey: true })
  }
  checkNames(check)
  routes.forEach((route, i) => {
    const path: Path = ['routes', i]
    checkMatch(check, path, route)
    checkPools(check, path, route)
    checkSplit(check, path, route)
    checkKeysOfRoute(check, path, route)
    checkPrefix(check, path, route)
    checkTexts(check, path, route)
    checkAccess(check, path, route)
  })
  checkLimits(check)
  checkConflicts(check)
  checkRedirects(check)
  checkFlatLimit(check)
}

function checkNames(check: Check): void {
  const { report } = check
  const { routes } = check.config
  const seen = new Map<string, number>()
  routes.forEach(({ name }, i) => {
    if (name === null) return
    const first = seen.get(name)
    if (first === undefined) seen.set(name, i)
    else {
      const message = `"${name}" is already the name of ${writtenPlace(check, first)}`
      report(['routes', i, 'name'], message, 'choose another', { value: name })
    }
  })
}

/** All listeners have been understood: one that was not is no news here. */
const knowsListeners = ({ options: { isCut } }: Check): boolean => !['listeners', 'tls', 'port'].some(isCut)

function checkMatch(check: Check, route: Path, { match }: WrittenRoute): void {
  const { config, tree, report } = check
  const path: Path = [...route, 'match']
  if (match.pathRegex !== null && check.isWritten([...path, 'path'])) {
    report([...path, 'path_regex'], 'cannot stand beside path', 'keep one of the two', { atKey: true })
  }
  match.listeners.forEach((name, i) => {
    const at = itemPath(tree, [...path, 'listener'], i)
    const listener = config.listeners.find((one) => one.name === name)
    if (listener === undefined) {
      if (!knowsListeners(check)) return
      const names = config.listeners.map((one) => one.name)
      const guess = closest(name, names)
      const list = `the listeners are ${names.map((one) => `"${one}"`).join(', ')}`
      report(at, `there is no listener "${name}"`, guess === null ? list : `did you mean "${guess}"?`, { value: name })
    } else if (listener.protocol !== 'http') {
      const message = `routes are for http, but listener "${name}" speaks ${listener.protocol}`
      report(at, message, 'name another', { value: name })
    } else if (listener.redirectHttpsPort > 0) {
      const message = `listener "${name}" answers every request with a redirect to https`
      report(at, message, 'remove its "redirect_https", or name another', { value: name })
    }
  })
  if (match.serverNames.length === 0 || !knowsListeners(check)) return
  const named = config.listeners.filter(({ name }) => match.listeners.length === 0 || match.listeners.includes(name))
  if (named.length === 0 || named.some(({ tls, protocol }) => tls !== null && protocol === 'http')) return
  const where = match.listeners.length === 0 ? 'no http listener has TLS' : 'the listeners of this route have no TLS'
  report([...path, 'server_name'], `can never be asked for: ${where}`, 'match "host" instead', { atKey: true })
}

function checkPools(check: Check, path: Path, { action, mirror }: WrittenRoute): void {
  const { tree } = check
  if (action.kind === 'pool') checkPoolName(check, [...path, 'pool'], action.pool)
  if (action.kind === 'split') {
    for (const [i, { pool }] of action.targets.entries()) {
      checkPoolName(check, [...targetPath(tree, path, i), 'pool'], pool)
    }
  }
  if (mirror !== null) checkPoolName(check, keyPath(tree, [...path, 'mirror'], 'pool'), mirror.pool)
}

function checkPoolName({ config, kinds, report }: Check, path: Path, pool: string): void {
  const names = Object.keys(config.pools)
  if (!Object.hasOwn(config.pools, pool)) {
    report(path, `there is no pool "${pool}"`, poolHint(pool, names), { value: pool })
  } else if (kinds.get(pool)!.kind !== 'http') {
    const message = `"${pool}" is ${kinds.get(pool)!.words}, but routes are for http`
    report(path, message, 'name an HTTP pool', { value: pool })
  }
}

function checkSplit({ tree, report }: Check, path: Path, { action }: WrittenRoute): void {
  if (action.kind !== 'split') return
  if (action.targets.every(({ weight }) => weight === 0)) {
    report([...path, 'split'], 'all weights are 0, so that nobody gets a request', 'give one pool a weight')
  }
  const seen = new Set<string>()
  action.targets.forEach(({ pool }, i) => {
    const at = [...targetPath(tree, path, i), 'pool']
    if (seen.has(pool))
      report(at, `"${pool}" is in this split already`, 'give it the sum of both weights', { value: pool })
    seen.add(pool)
  })
}

/** The flat key is about requests that no written route takes: there must be some. */
function checkFlatLimit({ config, report }: Check): void {
  if (config.rate_limit === undefined) return
  const { routes, listeners } = config
  const hasOwn = listeners.some(({ protocol, pool }) => protocol === 'http' && pool !== null)
  if (hasOwn || routes.length === 0 || Object.hasOwn(config.pools, 'default')) return
  const message = 'is for requests that no route takes, but they go to no pool'
  report(['rate_limit'], message, 'put it into the routes', { atKey: true })
}
