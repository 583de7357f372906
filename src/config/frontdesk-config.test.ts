// The published type of a configuration is what the schema takes, key by key, and functions where they may stand. Checked
// by the compiler: `npm run check`.
import { test } from 'node:test'
import { expectTypeOf } from 'expect-type'
import type { z } from 'zod'
import type { FrontdeskConfig, PluginOptions, PoolOptions } from '../core/frontdesk-config.ts'
import type { CustomStrategy, Matcher, Middleware, MiddlewareFactory, Plugin } from '../core/plugin.ts'
import type { fileForm } from './schema/file.ts'
import type { strategyNames } from './schema/pool.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type IsOneOf<T, List> = List extends readonly [infer First, ...infer Rest]
  ? Same<T, First> extends true
    ? true
    : IsOneOf<T, Rest>
  : false

type Function = [CustomStrategy<never>, Matcher, Middleware, MiddlewareFactory, Plugin]
/** Without what has no place in a file, nothing in it mutable. */
type Plain<T> = T extends unknown ? (IsOneOf<T, Function> extends true ? never : Deep<T>) : never
type Deep<T> =
  Same<T, PluginOptions | undefined> extends true
    ? unknown
    : T extends object
      ? { readonly [K in keyof T]: Same<T[K], PluginOptions> extends true ? unknown : Plain<T[K]> }
      : T

type Strategy = (typeof strategyNames)[number]
/** As zod has it. Of strategies it takes any string that stands for a function. */
type Written<T> = T extends object
  ? { readonly [K in keyof T]: K extends 'strategy' ? Strategy | Exclude<Written<T[K]>, string> : Written<T[K]> }
  : T
type File = Written<z.input<typeof fileForm>>

test('the type of a configuration is the input of its schema', () => {
  expectTypeOf<Plain<FrontdeskConfig>>().toEqualTypeOf<File>()
  expectTypeOf<Plain<PoolOptions>>().toEqualTypeOf<NonNullable<File['pools']>[string]>()
})

test('functions know their arguments where they are written', () => {
  const config: FrontdeskConfig = {
    strategy: {
      build({ backends, state }) {
        expectTypeOf(state.ticket()).toBeNumber()
        return (request) => backends.find((backend) => backend.available && !request.tried(backend))
      },
    },
    routes: [
      {
        match: { custom: (request) => request.host === 'a.example' },
        use: [
          'tenant',
          { limit: { most: 1 } },
          {
            onRequest(request) {
              expectTypeOf(request.header('x')).toEqualTypeOf<string | undefined>()
              return request.method === 'TRACE' ? { status: 405 } : undefined
            },
          },
        ],
      },
      { use: { onFinish: ({ status }) => void expectTypeOf(status).toBeNumber() } },
    ],
    plugins: ['./tenant.ts', { middleware: {} }],
  }
  expectTypeOf(config).toExtend<FrontdeskConfig>()
})

test('what a configuration may not say is an error of the compiler', () => {
  const good: FrontdeskConfig = {
    port: 0,
    backends: ['http://localhost:3000', { url: 'http://localhost:3001', weight: 2 }],
    pools: { api: { strategy: 'least-conn', backends: ['http://localhost:3002'], timeouts: { connect: '2s' } } },
    sticky: { by: 'header', header: 'x-user' },
  }
  expectTypeOf(good).toExtend<FrontdeskConfig>()
  // @ts-expect-error no such key
  const key: FrontdeskConfig = { backend: [] }
  // @ts-expect-error no such strategy
  const strategy: FrontdeskConfig = { strategy: 'fastest' }
  // @ts-expect-error by header needs its name
  const sticky: FrontdeskConfig = { sticky: { by: 'header' } }
  // @ts-expect-error no such key in a pool
  const pool: FrontdeskConfig = { pools: { api: { timeout: '2s' } } }
  // @ts-expect-error a matcher says yes or no
  const matcher: FrontdeskConfig = { routes: [{ match: { custom: () => 'yes' } }] }
  expectTypeOf([key, strategy, sticky, pool, matcher]).items.toExtend<FrontdeskConfig>()
})
