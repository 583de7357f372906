// Which exchanges somebody wants to follow. Plain data on its way to the workers, a function there.
import { compileCidrs } from '../../util/cidr.ts'
import type { AccessEntry, EndedEntry } from '../access-entry.ts'

/** All that is given must hold; null = not asked for. A TCP connection has no request: it meets nothing that asks for one. */
export interface FollowFilter {
  readonly listener: string | null
  readonly route: string | null
  readonly pool: string | null
  /** URL in normal form. */
  readonly backend: string | null
  /** Lower case, without port. */
  readonly host: string | null
  readonly method: string | null
  /** Address or CIDR block of the client. */
  readonly client: string | null
  /** What the target begins with. */
  readonly path: string | null
  /** Any of these, both ends included. */
  readonly statuses: readonly { readonly from: number; readonly to: number }[] | null
  /** Any of these results of the cache. */
  readonly cache: readonly string[] | null
  readonly minMs: number | null
  /** Only answers with 5xx, and whatever has ended with an error. */
  readonly errors: boolean
}

/** Everything. */
export const followAll: FollowFilter = {
  listener: null,
  route: null,
  pool: null,
  backend: null,
  host: null,
  method: null,
  client: null,
  path: null,
  statuses: null,
  cache: null,
  minMs: null,
  errors: false,
}

type Test = (entry: EndedEntry) => boolean
type RequestTest = (entry: AccessEntry) => boolean

/** `shown`: a target as it is shown. What is hidden there cannot be asked for either: answers would tell it bit by bit. */
export function compileFollow(filter: FollowFilter, shown: (target: string) => string): Test {
  const tests = [...sharedTests(filter), ...requestTests(filter, shown).map(ofRequest)]
  return (entry) => {
    for (const test of tests) if (!test(entry)) return false
    return true
  }
}

const ofRequest =
  (test: RequestTest): Test =>
  (entry) =>
    'requestId' in entry && test(entry)

function sharedTests({ listener, pool, backend, client, minMs, errors }: FollowFilter): Test[] {
  const tests: Test[] = []
  if (listener !== null) tests.push((entry) => entry.listener === listener)
  if (pool !== null) tests.push((entry) => entry.pool === pool)
  if (backend !== null) tests.push((entry) => entry.backend === backend || hasTried(entry, backend))
  if (client !== null) {
    const isWithin = compileCidrs([client])
    tests.push((entry) => isWithin(entry.client))
  }
  if (minMs !== null) tests.push((entry) => entry.durationUs >= minMs * 1000)
  if (errors) tests.push((entry) => entry.error !== '' || entry.status >= 500)
  return tests
}

const hasTried = ({ failures }: EndedEntry, backend: string): boolean =>
  failures?.some((attempt) => attempt.backend === backend) === true

function requestTests(filter: FollowFilter, shown: (target: string) => string): RequestTest[] {
  const { route, host, method, path, statuses, cache } = filter
  const tests: RequestTest[] = []
  if (route !== null) tests.push((entry) => entry.route === route)
  if (host !== null) tests.push((entry) => withoutPort(entry.host.toLowerCase()) === host)
  if (method !== null) tests.push((entry) => entry.method === method)
  if (path !== null) {
    const asked = path.includes('?') ? shown : (target: string) => target
    tests.push((entry) => asked(entry.target).startsWith(path))
  }
  if (statuses !== null) {
    tests.push(({ status }) => statuses.some(({ from, to }) => status >= from && status <= to))
  }
  if (cache !== null) tests.push((entry) => cache.includes(entry.cache))
  return tests
}

const withoutPort = (host: string): string => host.replace(/:\d+$/, '')
