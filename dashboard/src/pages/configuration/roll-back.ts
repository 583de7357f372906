// Going back to an earlier revision by the API.
import { call } from '../../api/client.ts'
import type { ConfigAnswer } from '../../api/types.ts'

/** @throws ApiError */
export async function rollBackTo(revision: number): Promise<ConfigAnswer> {
  return await call<ConfigAnswer>('POST', '/config/rollback', { body: { revision } })
}

/** What that would change. @throws ApiError */
export async function planRollBack(revision: number): Promise<ConfigAnswer> {
  return await call<ConfigAnswer>('POST', '/config/rollback', { body: { revision }, query: { dry_run: '1' } })
}
