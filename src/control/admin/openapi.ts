// The OpenAPI document without a running process: docs/reference/openapi.json.

import { silentLog } from '../../core/log.ts'
import { EventRing } from '../event-ring.ts'
import { type AdminDeps, createAdminApp, openApiDocument } from './app.ts'
import { Gate, openAccess } from './caller.ts'
import { noConnections } from './guard.ts'
import { Streams } from './streams.ts'

const notRunning = (): never => {
  throw new Error('only the description of the API is made here')
}

/** JSON text of OpenAPI 3.1, ending with a line feed. The version is the package's. */
export function openApiReference(version: string): string {
  const deps: AdminDeps = {
    version,
    gate: new Gate(openAccess),
    connections: noConnections,
    revision: notRunning,
    log: silentLog,
    backends: { list: notRunning, add: notRunning, update: notRunning, remove: notRunning },
    status: notRunning,
    certificates: notRunning,
    reload: notRunning,
    configuration: {
      revision: 0,
      document: notRunning,
      expanded: notRunning,
      origins: notRunning,
      history: notRunning,
      put: notRunning,
      patch: notRunning,
      rollback: notRunning,
      save: notRunning,
    },
    scrape: notRunning,
    readiness: notRunning,
    stop: notRunning,
    configSchema: notRunning,
    streams: new Streams(),
    ring: new EventRing(),
    stats: { read: notRunning },
    live: { follow: notRunning },
    explainer: { explain: notRunning },
    cache: { stats: notRunning, purge: notRunning },
    lists: { listeners: notRunning, pools: notRunning, routes: notRunning },
  }
  return `${JSON.stringify(openApiDocument(createAdminApp(deps), version), null, 2)}\n`
}
