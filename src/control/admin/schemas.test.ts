// What programs call is typed as what the admin API takes and gives. Checked by the compiler: `npm run check`.
import { test } from 'node:test'
import type { z } from '@hono/zod-openapi'
import { expectTypeOf } from 'expect-type'
import type { AddBackend, RemoveBackend, RemovedBackend, UpdateBackend } from '../backends.ts'
import type { BackendStatus, StatusDocument } from '../status-document.ts'
import type { addBody, backendView, patchBody, removalView, removeBody, statusView } from './schemas.ts'

type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T

test('inputs and answers are those of the schemas', () => {
  expectTypeOf<Frozen<AddBackend>>().toEqualTypeOf<Frozen<z.input<typeof addBody>>>()
  expectTypeOf<Frozen<UpdateBackend>>().toEqualTypeOf<Frozen<z.input<typeof patchBody>>>()
  expectTypeOf<Frozen<Omit<RemoveBackend, 'wait'>>>().toEqualTypeOf<Frozen<z.input<typeof removeBody>>>()
  expectTypeOf<RemovedBackend>().toEqualTypeOf<Frozen<z.output<typeof removalView>>>()
  expectTypeOf<BackendStatus>().toEqualTypeOf<Frozen<z.output<typeof backendView>>>()
  expectTypeOf<Frozen<Omit<StatusDocument, 'workers'>>>().toEqualTypeOf<
    Frozen<Omit<z.output<typeof statusView>, 'workers'>>
  >()
})
