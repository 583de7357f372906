// Golden files: a configuration in, the expanded form or the problems out. UPDATE_GOLDEN=1 writes what is expected.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { configJsonSchema } from './json-schema.ts'
import { ConfigError, loadConfig } from './load.ts'
import { longFormOf, longFormWithSecrets } from './long-form.ts'

const folder = join(import.meta.dirname, '../../test/golden/config')
const env = { PORT: '8000', WORKERS: '', EMPTY: '', ADMIN_TOKEN: 'not to be printed', BACKEND_HOST: 'localhost' }

function outcome(path: string): string {
  try {
    const loaded = loadConfig({ path, env })
    const warnings = loaded.warnings.map((line) => `// warning: ${line}\n`).join('')
    return `${warnings}${JSON.stringify(longFormOf(loaded.config), null, 2)}\n`
  } catch (error) {
    if (error instanceof ConfigError) return `${error.format()}\n`
    throw error
  }
}

for (const name of readdirSync(folder)) {
  test(`golden: ${name}`, () => {
    const file = ['config.yaml', 'config.yml'].find((ending) => existsSync(join(folder, name, ending))) ?? 'config.json'
    const expectedFile = join(folder, name, 'expected.txt')
    const actual = outcome(join(folder, name, file))
      .replaceAll(join(folder, name, '/'), '')
      .replaceAll(folder, '')
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(expectedFile, actual)
    assert.equal(actual, readFileSync(expectedFile, 'utf8'))
  })
}

const roundTrips = ['seed', 'long-form', 'mixed', 'only-listeners', 'variables']
for (const name of [
  ...roundTrips,
  'routes',
  'cache',
  'cache-everywhere',
  'cache-without-use',
  'tcp',
  'tls',
  'sni',
  'local-listening',
  'flat-tls',
  'doubtful',
  'admin-secure',
  'observability',
]) {
  test(`the expanded form of ${name} means the same`, () => {
    const path = join(folder, name, 'config.json')
    const { config } = loadConfig({ path, env })
    assert.deepEqual(loadConfig({ path, text: JSON.stringify(longFormWithSecrets(config)), env: {} }).config, config)
  })
}

const examples = join(import.meta.dirname, '../../examples')

for (const name of readdirSync(examples).filter((file) => file.endsWith('.json'))) {
  test(`examples/${name} is valid, and nothing in it is doubtful`, () => {
    assert.deepEqual(loadConfig({ path: join(examples, name), env: {} }).warnings, [])
  })
}

test('the schema for editors lists every key that the long form prints', () => {
  const { properties } = configJsonSchema()
  const { config } = loadConfig({ path: join(folder, 'long-form', 'config.json'), env })
  const missing = Object.keys(longFormOf(config)).filter((key) => properties?.[key] === undefined)
  assert.deepEqual(missing, [])
})

test('nothing secret is printed', () => {
  const { config } = loadConfig({ path: join(folder, 'long-form', 'config.json'), env })
  const printed = JSON.stringify(longFormOf(config))
  assert.doesNotMatch(printed, /not to be printed|a secret of the operator/)
  assert.match(printed, /"token":"\*\*\*"/)
})
