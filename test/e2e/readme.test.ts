// The programs and configurations in TypeScript that the README shows do what it says.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { demoBackends, Example, emptyProject, examples } from '../support/example.ts'
import { leakTest } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { snippetsOf } from '../support/snippets.ts'

const snippets = snippetsOf('README.md').map(({ code }) => code)
const snippet = (holds: string): string => snippets.find((code) => code.includes(holds)) ?? ''

test('the library is shown as in the examples', () => {
  assert.equal(snippets.length, 3)
  assert.equal(snippet('createFrontdesk'), readFileSync(join(examples, 'three-lines/proxy.ts'), 'utf8'))
})

leakTest('a configuration in TypeScript', async (scope) => {
  const [backend] = await demoBackends(scope, 'a')
  const dir = emptyProject(scope)
  writeFileSync(join(dir, 'frontdesk.config.ts'), snippet('defineConfig'))
  const env = { FRONTDESK_BACKEND: backend! }
  const { port } = await Example.run(scope, { dir, file: 'frontdesk.config.ts', env })
  const shop = await ask(port, { path: '/api/', headers: { host: 'ann.example.com', 'x-shop': 'ben' } })
  assert.equal((JSON.parse(shop.body) as { headers: Record<string, string> }).headers['x-shop'], 'ann')
  const none = await ask(port, { path: '/api/', headers: { host: 'www.example.com' } })
  assert.deepEqual([none.status, none.body], [404, 'no such shop\n'])
  assert.equal((await ask(port, { headers: { host: 'www.example.com' } })).status, 200)
})

leakTest('a handler for a server that is there already', async (scope) => {
  const [first, second] = await demoBackends(scope, 'a', 'b')
  const dir = emptyProject(scope)
  const code = snippet('proxyHandler')
    .replace('http://localhost:8082', first!)
    .replace('http://localhost:8083', second!)
    .replace('.listen(8080)', ".listen(0, function () { console.log('port:', this.address().port) })")
  writeFileSync(join(dir, 'server.ts'), code)
  const { port } = await Example.program(scope, { dir, file: 'server.ts' })
  const names: unknown[] = []
  for (let i = 0; i < 4; i++) names.push((await ask(port)).headers['x-backend'])
  assert.deepEqual(names, ['a', 'b', 'a', 'b'])
})
