// Keys of a route that mean nothing for what it does, or for the paths that it takes.
import { pathShape } from '../../routing/path-pattern.ts'
import type { WrittenRoute } from '../schema/route.ts'
import type { Path } from '../source-tree.ts'
import type { Check } from './check.ts'

/** What only a request that goes to a backend has a use for. */
const forwarding: readonly Path[] = [
  ['mirror'],
  ['strip_prefix'],
  ['add_prefix'],
  ['rewrite'],
  ['headers', 'request'],
  ['timeouts'],
  ['retries'],
  ['body_size'],
  ['host_header'],
  ['sticky'],
  ['compression'],
  ['cache'],
  ['basic_auth', 'user_header'],
  ['forward_auth', 'copy_headers'],
]

export function checkKeysOfRoute(check: Check, path: Path, route: WrittenRoute): void {
  const { kind } = route.action
  if (kind === 'pool' || kind === 'split') return
  const what = kind === 'redirect' ? 'a redirect' : 'a fixed answer'
  const refuse = (key: Path): void => {
    const message = `is for requests that go to a pool, but this route is ${what}`
    check.report([...path, ...key], message, 'remove it', { atKey: true })
  }
  for (const key of forwarding) if (check.isWritten([...path, ...key])) refuse(key)
  route.errorPages.forEach(({ intercept }, i) => {
    if (intercept) refuse(['error_pages', i, 'intercept'])
  })
}

/** A prefix that no path of the route can have would never be taken away. */
export function checkPrefix({ report }: Check, path: Path, { match, rewrite }: WrittenRoute): void {
  const { stripPrefix } = rewrite
  if (stripPrefix === '' || match.paths.length === 0) return
  const wanted = stripPrefix.slice(1).split('/')
  if (match.paths.some((pattern) => canBeginWith(pattern, wanted))) return
  const [first = ''] = match.paths
  const paths = match.paths.length === 1 ? `the path ${first} never begins` : 'no path of this route begins'
  const hint = 'change one of the two'
  report([...path, 'strip_prefix'], `has no effect: ${paths} with ${stripPrefix}`, hint, { value: stripPrefix })
}

function canBeginWith(pattern: string, wanted: readonly string[]): boolean {
  const { kind, segments } = pathShape(pattern)
  if (wanted.length > segments.length && kind !== 'prefix') return false
  return wanted.every((segment, i) => i >= segments.length || segments[i] === null || segments[i] === segment)
}
