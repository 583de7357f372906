// What of a request the hashing strategies hash.
import type { PoolSpec } from '../../core/spec.ts'
import { cookieValue } from '../../pool/affinity.ts'
import { hash32 } from '../../util/hash32.ts'
import { fieldValue } from '../http1/grammar.ts'
import type { RequestHead } from '../http1/request-head.ts'

/** The hash for `ip-hash`, `hash` and own strategies; 0 for the strategies that look at nothing. */
export function hashOf(pool: PoolSpec, head: RequestHead, address: string): number {
  if (pool.strategy === 'ip-hash' || pool.customStrategy !== null) return hash32(address)
  return pool.strategy === 'hash' ? hash32(keyOf(pool, head, address)) : 0
}

function keyOf(pool: PoolSpec, head: RequestHead, address: string): string {
  const key = pool.hashKey
  switch (key.by) {
    case 'uri':
      return head.target
    case 'path': {
      const query = head.target.indexOf('?')
      return query < 0 ? head.target : head.target.slice(0, query)
    }
    case 'host':
      return head.host.toLowerCase()
    case 'client-ip':
      return address
    case 'header':
      return fieldValue(head.fields.lookup, key.name.toLowerCase())
    case 'cookie':
      return cookieValue(head.fields.cookie, key.name)
  }
}
