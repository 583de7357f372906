import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PluginError } from './plugin-error.ts'
import { checkMade, type LoadedModule, readPlugin, registryOf } from './values.ts'

const stamp = { onResponse: () => undefined }
const words = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof PluginError, String(error))
    return error.words
  }
  return assert.fail('nothing was thrown')
}
const moduleOf = (label: string, plugin: unknown): LoadedModule => ({
  spec: { kind: 'plugin', url: `file:///${label}`, label },
  values: readPlugin(plugin),
})

test('a plug-in brings middleware, strategies and matchers by name', () => {
  const values = readPlugin({
    name: 'mine',
    middleware: { stamp, limit: () => stamp },
    strategies: { nearest: { build: () => () => undefined } },
    matchers: { tenant: () => () => true },
  })
  assert.deepEqual([...values.middleware.keys()], ['stamp', 'limit'])
  assert.deepEqual([...values.strategies.keys()], ['nearest'])
  assert.deepEqual([...values.matchers.keys()], ['tenant'])
})

test('what is no plug-in is told in words', () => {
  assert.match(
    words(() => readPlugin(undefined)),
    /^is nothing, and no plug-in/,
  )
  assert.match(
    words(() => readPlugin([])),
    /^is a list/,
  )
  assert.match(
    words(() => readPlugin(() => stamp)),
    /^is a function/,
  )
  assert.match(
    words(() => readPlugin({})),
    /^brings nothing/,
  )
  assert.match(
    words(() => readPlugin({ middlewares: { stamp } })),
    /^has a part middlewares.*did you mean middleware\?$/,
  )
  assert.match(
    words(() => readPlugin({ middleware: [stamp] })),
    /^middleware is a list, and no object by name/,
  )
  assert.match(
    words(() => readPlugin({ middleware: { '@x': stamp } })),
    /^middleware: "@x" cannot be a name/,
  )
  assert.match(
    words(() => readPlugin({ middleware: { x: 1 } })),
    /^middleware\.x is a number, and no middleware/,
  )
  assert.match(
    words(() => readPlugin({ strategies: { x: () => 1 } })),
    /^strategies\.x is a function, and no strategy/,
  )
  assert.match(
    words(() => readPlugin({ matchers: { x: {} } })),
    /^matchers\.x is an object, and no matcher/,
  )
})

test('middleware has at least one hook, and a time limit that is one', () => {
  assert.equal(checkMade(stamp), stamp)
  assert.match(
    words(() => checkMade({ onRequest: 1 })),
    /^has a number for onRequest, which must be a function/,
  )
  assert.match(
    words(() => checkMade({ onBackendRequests: () => 0 })),
    /did you mean onBackendRequest\?$/,
  )
  assert.match(
    words(() => checkMade({ name: 'x' })),
    /^has none of the hooks; middleware is an object with onRequest/,
  )
  for (const timeoutMs of [0, -1, Number.NaN, '1s']) {
    assert.match(
      words(() => checkMade({ ...stamp, timeoutMs })),
      /^has a timeoutMs that is no number/,
    )
  }
})

test('names are unique over all plug-ins, each kind for itself', () => {
  const a = moduleOf('./a.ts', { middleware: { tenant: stamp } })
  const b = moduleOf('./b.ts', { matchers: { tenant: () => () => true } })
  const registry = registryOf([a, b])
  assert.equal(registry.middleware('tenant'), stamp)
  assert.equal(registry.sourceOf('middleware', 'tenant'), './a.ts')
  assert.equal(registry.sourceOf('matcher', 'tenant'), './b.ts')
  assert.equal(registry.middleware('other'), undefined)
  assert.equal(registry.sourceOf('strategy', 'other'), '')
  const c = moduleOf('./c.ts', { middleware: { tenant: stamp } })
  assert.match(
    words(() => registryOf([a, b, c])),
    /^the middleware tenant comes from both \.\/a\.ts and \.\/c\.ts; names are unique/,
  )
})
