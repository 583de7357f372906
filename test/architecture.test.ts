// The import directions hold, and the check that says so can fail.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { layers, readSources, violations } from './support/layers.ts'

const src = join(import.meta.dirname, '..', 'src')

test('every source file keeps to the import directions', async () => {
  const files = await readSources(src)
  assert.ok(files.length > 3, 'sources were found')
  assert.deepEqual(violations(files), [])
})

test('the table has no cycle outside net and pool', () => {
  for (const [folder, allowed] of Object.entries(layers)) {
    for (const other of allowed) {
      const back = layers[other]?.includes(folder) ?? assert.fail(`${other} is missing from the table`)
      const pair = [folder, other].sort().join(' ')
      assert.ok(!back || pair === 'net pool' || pair === 'cli index', `${folder} and ${other} import each other`)
    }
  }
})

const broken: readonly [path: string, text: string, complaint: RegExp][] = [
  ['util/a.ts', "import { errors } from '../core/errors.ts'", /util must not import core/],
  ['http/a.ts', "import type { X } from '../tcp/x.ts'", /http must not import tcp/],
  ['tcp/a.ts', "export { X } from '../http/x.ts'", /tcp must not import http/],
  ['http/http1/a.ts', "import {\n  a,\n  b,\n} from '../../control/x.ts'", /http must not import control/],
  ['worker/a.ts', "const x = await import('../supervisor/x.ts')", /worker must not import supervisor/],
  ['http/a.ts', "import * as z from 'zod'", /zod belongs to/],
  ['control/metrics/a.ts', "import { z } from '@hono/zod-openapi'", /belongs to/],
  ['balancer/a.ts', "import { connect } from 'node:net'", /no I\/O/],
  ['http/a.ts', 'Atomics.load(cells, 0)', /Atomics belongs to state/],
  ['control/a.ts', "console.log('x')", /console belongs to cli/],
  ['supervisor/a.ts', 'process.exit(1)', /process.exit belongs to cli/],
  ['misc/a.ts', '', /not in the table/],
]

for (const [path, text, complaint] of broken) {
  test(`found: ${complaint.source} in ${path}`, () => {
    const found = violations([{ path, text }])
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0] ?? '', complaint)
  })
}

test('what is allowed is not complained about', () => {
  const files = [
    { path: 'config/a.ts', text: "import { z } from 'zod'\nimport { errors } from '../core/errors.ts'\n" },
    { path: 'control/admin/a.ts', text: "import { OpenAPIHono } from '@hono/zod-openapi'\n" },
    { path: 'state/a.ts', text: 'Atomics.add(cells, 0, 1)' },
    { path: 'http/a.ts', text: "// console.log, Atomics.load\nconst s = 'process.exit'\nimport './b.ts'\n" },
  ]
  assert.deepEqual(violations(files), [])
})
