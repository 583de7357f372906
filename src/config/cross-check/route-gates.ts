// Who may use a route, and how much: users and their files, CORS, limits that routes share.

import { parseHash } from '../schema/route/access.ts'
import { formatKey } from '../schema/route/key.ts'
import { formatRate, type RateLimitConfig } from '../schema/route/limits.ts'
import type { WrittenRoute } from '../schema/route.ts'
import { nodeAt, type Path } from '../source-tree.ts'
import type { Check } from './check.ts'
import { itemPath, writtenPlace } from './route-places.ts'
import { readFile } from './route-texts.ts'

export function checkAccess(check: Check, path: Path, { match, cors, basicAuth }: WrittenRoute): void {
  if (cors?.credentials === true && cors.origins.includes('*')) {
    const message = 'cannot stand beside the origin "*": browsers refuse it, and every page could act as the user'
    check.report([...path, 'cors', 'credentials'], message, 'name the origins, or remove it')
  }
  if (cors !== null && match.methods.length > 0 && !match.methods.includes('OPTIONS')) {
    const message = 'does not take the OPTIONS requests by which browsers ask whether they may'
    check.report([...path, 'match', 'method'], message, 'add "OPTIONS": cors answers them')
  }
  if (basicAuth !== null) checkUsers(check, [...path, 'basic_auth'], basicAuth)
}

function checkUsers(check: Check, path: Path, auth: NonNullable<WrittenRoute['basicAuth']>): void {
  const { report, options } = check
  if (auth.usersFile === null) {
    if (auth.users.length > 0) return
    const hint = 'write {"name": "HASH"}; `frontdesk hash-password` makes hashes'
    report([...path, 'users'], 'is needed but missing', hint)
    return
  }
  const at: Path = [...path, 'users_file']
  if (readFile(check, at, auth.usersFile) === null) return
  const seen = new Set(auth.users.map(({ name }) => name))
  const users = options.files.users(auth.usersFile)
  if (users.length + auth.users.length === 0) report(at, 'has no users in it', 'write lines "user:hash"')
  for (const { name, hash, line } of users) {
    const refuse = (message: string, hint?: string): void => report(at, `line ${line}: ${message}`, hint)
    if (name === '') refuse('is not "user:hash"')
    else if (seen.has(name)) refuse(`"${name}" is there already`, 'remove one')
    else {
      try {
        parseHash(hash)
      } catch (error) {
        refuse((error as Error).message)
      }
    }
    seen.add(name)
  }
}

/** Limits of one name share their counts: they are one limit. */
export function checkLimits(check: Check): void {
  const { config, tree, report } = check
  const first = new Map<string, { readonly limit: RateLimitConfig; readonly i: number }>()
  config.routes.forEach(({ rateLimits }, i) => {
    rateLimits.forEach((limit, k) => {
      if (limit.name === null) return
      const other = first.get(limit.name)
      if (other === undefined) first.set(limit.name, { limit, i })
      else if (described(other.limit) !== described(limit)) {
        const list: Path = ['routes', i, 'rate_limit']
        const at = nodeAt(tree, list)?.kind === 'array' ? itemPath(tree, list, k) : list
        const message = `"${limit.name}" is already the limit of ${writtenPlace(check, other.i)}, with ${described(other.limit)}`
        report(at, message, 'make both the same, or choose another name')
      }
    })
  })
}

const described = (limit: RateLimitConfig): string =>
  `key ${formatKey(limit.key)}, rate ${formatRate(limit)}, burst ${limit.burst}`
