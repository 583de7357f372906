// Mostly for the compiler: what users may write, and what it tells them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { expectTypeOf } from 'expect-type'
import { type CustomStrategy, defineConfig, definePlugin, type RequestView, type ResponseView } from './index.ts'

test('a configuration is checked by the compiler, functions know what they get', () => {
  const config = defineConfig({
    port: 8080,
    backends: ['http://localhost:1', { url: 'http://localhost:2', weight: 2 }],
    strategy: {
      build:
        ({ backends }) =>
        (request) =>
          backends.find((backend) => !request.tried(backend)),
    },
    plugins: ['./a.ts', { matchers: { any: () => () => true } }],
    routes: [
      {
        match: { path: '/a', custom: (request) => request.path.length > (request.header('x')?.length ?? 0) },
        pool: 'default',
        use: [
          'name',
          { name: { max: 1 } },
          {
            onRequest(request) {
              expectTypeOf(request).toEqualTypeOf<RequestView>()
              return { status: 401 }
            },
            async onResponse(response) {
              expectTypeOf(response).toEqualTypeOf<ResponseView>()
            },
          },
          () => ({ onFinish: ({ status }) => void status.toFixed() }),
        ],
      },
    ],
  })
  assert.equal(config.port, 8080)
  // @ts-expect-error: no such key
  defineConfig({ prot: 8080 })
  // @ts-expect-error: no such hook
  defineConfig({ routes: [{ pool: 'a', use: [{ onRequst() {} }] }] })
  // @ts-expect-error: a status is a number
  defineConfig({ routes: [{ pool: 'a', use: [{ onRequest: () => ({ status: '401' }) }] }] })
  // @ts-expect-error: a matcher is synchronous
  defineConfig({ routes: [{ match: { custom: async () => true }, pool: 'a' }] })
  // @ts-expect-error: a strategy chooses a backend, not a URL
  defineConfig({ strategy: { build: () => () => 'http://localhost:1' } })
})

test('a plug-in brings what takes options of its own', () => {
  const nearest: CustomStrategy<{ zone: string }> = {
    build:
      ({ backends, options }) =>
      () =>
        backends[options.zone.length],
  }
  const plugin = definePlugin({
    middleware: {
      limit: ({ max }: { max: number }) => ({ onRequest: () => (max > 0 ? undefined : { status: 429 }) }),
      log: { onFinish() {} },
    },
    strategies: { nearest },
    matchers: { tenant: (options: { id: string }) => (request) => request.header('x-tenant') === options.id },
  })
  assert.deepEqual(Object.keys(plugin), ['middleware', 'strategies', 'matchers'])
  // @ts-expect-error: no such part
  definePlugin({ middlewares: {} })
  // @ts-expect-error: it makes no middleware
  definePlugin({ middleware: { x: () => 1 } })
})

test('the entry is light: each worker imports it', () => {
  for (const file of ['index.ts', 'define.ts']) {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8')
    const imports = [...text.matchAll(/^(?:import|export) (?!type )[^'\n]* from '([^']+)'/gm)].map(([, from]) => from)
    assert.deepEqual(imports, file === 'index.ts' ? ['./define.ts'] : [])
  }
})
