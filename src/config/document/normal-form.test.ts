// The normal form of a document means the same as the file it was made of.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { validConfigs } from '../../../test/support/valid-configs.ts'
import type { Config } from '../config.ts'
import { ConfigError, type LoadedConfig, type LoadOptions, loadConfig } from '../load.ts'
import { applyDifferences, differencesBetween } from './differences.ts'
import type { DocumentChange } from './types.ts'

const folder = join(import.meta.dirname, '../../../test/golden/config')
const env = { PORT: '8000', WORKERS: '', EMPTY: '', ADMIN_TOKEN: 'not to be printed', BACKEND_HOST: 'localhost' }

function valid(options: LoadOptions): LoadedConfig | null {
  try {
    return loadConfig({ env, ...options })
  } catch (error) {
    if (error instanceof ConfigError) return null
    throw error
  }
}

const golden = readdirSync(folder).flatMap((name) => {
  const file = ['config.yaml', 'config.yml', 'config.json'].find((ending) => existsSync(join(folder, name, ending)))
  const path = join(folder, name, file ?? '')
  const loaded = file === undefined ? null : valid({ path })
  return loaded === null ? [] : [{ name, path, loaded }]
})

test('there are golden files to look at', () => assert.ok(golden.length >= 15))

for (const { name, path, loaded } of golden) {
  test(`normal form: ${name}`, () => {
    const { file, whole } = loaded.documents
    assert.equal(whole, file)
    const again = loadConfig({ path, value: file as object, env })
    assert.deepEqual(again.config, loaded.config)
    assert.deepEqual(again.documents.file, file)
    // As it comes back from the admin API.
    assert.deepEqual(JSON.parse(JSON.stringify(file)), file)
  })
}

test('what the command line says is in the normal form', () => {
  const overrides = {
    port: 0,
    admin_port: 9001,
    health_check_method: 'tcp',
    backends: ['http://x', { url: 'http://y', weight: 2 }],
  }
  const text = '{ "backends": ["http://a"], "health_check_path": "/up", "admin": { "listen": "[::1]:81" } }'
  const loaded = loadConfig({ path: 'config.json', text, overrides, env })
  const again = loadConfig({ path: 'config.json', value: loaded.documents.file as object, allowAnyPort: true })
  assert.deepEqual(again.config, loaded.config)
})

test('every file and its normal form mean the same, and so does each with what leads to another laid over it', () => {
  let compared = 0
  const options = { path: 'config.json', env: {} }
  fc.assert(
    fc.property(validConfigs, validConfigs, (one, other) => {
      const from = valid({ ...options, value: one as object })
      const to = valid({ ...options, value: other as object })
      if (from === null || to === null) return
      compared++
      assert.deepEqual(loadConfig({ ...options, value: from.documents.file as object }).config, from.config)
      const laid = loadConfig({ ...options, value: one as object, changes: changesBetween(from, to) })
      assert.deepEqual(laid.conflicts, [])
      assert.deepEqual(inAnyOrder(laid.config), inAnyOrder(to.config))
      assert.deepEqual(applyDifferences(laid.documents.file, laid.kept), laid.documents.whole)
    }),
    { numRuns: 200 },
  )
  assert.ok(compared > 150, `only ${compared} pairs of the generated files were valid`)
})

/** In which order pools and listeners stand means nothing. */
const inAnyOrder = ({ listeners, ...rest }: Config): object => ({
  ...rest,
  listeners: Object.fromEntries(listeners.map((one) => [one.name, one])),
})

function changesBetween(from: LoadedConfig, to: LoadedConfig): DocumentChange[] {
  const by = { at: '2026-01-01T00:00:00.000Z', by: 'admin API (127.0.0.1)', revision: 2 }
  return differencesBetween(from.documents.file, to.documents.file).map((one) => ({ ...one, ...by }))
}
