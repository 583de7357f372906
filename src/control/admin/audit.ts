// One line in the log for each call of the admin API that is meant to change something: who, from where, what became of it.

import type { MiddlewareHandler } from 'hono'
import type { Log, LogLevel } from '../../core/log.ts'
import { type AdminEnv, changes } from './guard.ts'

export interface AuditDeps {
  readonly log: Log
  /** Of the configuration in force. */
  revision(): number
}

const outcomeOf = (status: number): readonly [LogLevel, string] =>
  status < 400 ? ['info', 'done'] : status < 500 ? ['warn', 'refused'] : ['error', 'failed']

/** Paths only: what stands in bodies, queries and header fields may be secret. */
export function audit({ log, revision }: AuditDeps): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    await next()
    if (!changes(c)) return
    const { who, role, address } = c.get('caller')
    const call = `${c.req.method} ${printable(c.req.path)}`
    const { status } = c.res
    const [level, outcome] = outcomeOf(status)
    const fields = { who, address, role, call, outcome, status, revision: revision() }
    log.event(level, 'admin_change', `${who}: ${call} ${outcome} (${status}, revision ${fields.revision})`, fields)
  }
}

/** Of a path that nobody has: no line breaks, no control characters, no end of it. */
const printable = (path: string): string => encodeURI(path.slice(0, 200).toWellFormed())
