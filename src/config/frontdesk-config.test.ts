// The published type of a configuration is what the schema takes, key by key. Checked by the compiler: `npm run check`.
import { test } from 'node:test'
import { expectTypeOf } from 'expect-type'
import type { z } from 'zod'
import type { FrontdeskConfig, PoolOptions } from '../core/frontdesk-config.ts'
import type { fileForm } from './schema/file.ts'

type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T
type Written = Frozen<z.input<typeof fileForm>>

test('the type of a configuration is the input of its schema', () => {
  expectTypeOf<FrontdeskConfig>().toEqualTypeOf<Written>()
  expectTypeOf<PoolOptions>().toEqualTypeOf<NonNullable<Written['pools']>[string]>()
})

test('what a file may not say is an error of the compiler', () => {
  const good: FrontdeskConfig = {
    port: 0,
    backends: ['http://localhost:3000', { url: 'http://localhost:3001', weight: 2 }],
    pools: { api: { strategy: 'least-conn', backends: ['http://localhost:3002'], timeouts: { connect: '2s' } } },
    sticky: { by: 'header', header: 'x-user' },
  }
  expectTypeOf(good).toExtend<FrontdeskConfig>()
  // @ts-expect-error no such key
  expectTypeOf({ backend: [] } as const).toEqualTypeOf<FrontdeskConfig>()
  // @ts-expect-error no such strategy
  const strategy: FrontdeskConfig = { strategy: 'fastest' }
  // @ts-expect-error by header needs its name
  const sticky: FrontdeskConfig = { sticky: { by: 'header' } }
  // @ts-expect-error no such key in a pool
  const pool: FrontdeskConfig = { pools: { api: { timeout: '2s' } } }
  expectTypeOf([strategy, sticky, pool]).items.toExtend<FrontdeskConfig>()
})
