import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../load.ts'

test('what was taken out has no value, and still says who did that', () => {
  const url = 'http://b'
  const told = { at: '2026-11-21T12:00:00.000Z', by: 'admin API (127.0.0.1)', revision: 9 }
  const changes = [{ path: ['pools', 'default', 'backends', url], base: { url, weight: 3 }, ...told }]
  const text = `{ "backends": ["http://a", { "url": "${url}", "weight": 3 }] }`
  const values = loadConfig({ path: 'config.json', text, changes }).origins()
  const found = values.filter(({ path }) => path.includes(url))
  const path = `pools.default.backends[${url}]`
  assert.deepEqual(found, [{ path, value: null, removed: true, origin: 'api', place: null, ...told }])
})
