// The small program that state-store.test.ts kills: saves revision after revision and prints each one once acknowledged.

import { writeSync } from 'node:fs'
import { StateStore } from '../../src/control/store/state-store.ts'
import { silentLog } from '../../src/core/log.ts'

const path = process.argv[2]!
const { store, document } = await StateStore.open({ path, log: silentLog })
let revision = document?.revision ?? 0
for (;;) {
  revision += 1
  const url = `http://10.0.0.1:${revision % 60000}`
  const stamp = { at: '2026-01-02T03:04:05.678Z', by: 'test', revision }
  const changes = [{ path: ['pools', 'default', 'backends', url], value: { url, weight: revision }, ...stamp }]
  await store.save({ revision, stickySecret: 'ab'.repeat(32), changes, states: {}, history: [] })
  writeSync(1, `${revision}\n`)
}
