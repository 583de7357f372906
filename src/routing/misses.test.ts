import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { matchSpec } from '../../test/support/control-kit.ts'
import type { MatchSpec } from '../core/route-spec.ts'
import { missesOf } from './misses.ts'
import { type RouteQuestion, Router } from './router.ts'

const question = (over: Partial<RouteQuestion> = {}): RouteQuestion => ({
  method: 'GET',
  host: 'example.com',
  path: '/a/b',
  query: '?x=1',
  fields: 'X-User: ann\r\n',
  address: '10.0.0.1',
  serverName: 'example.com',
  view: () => assert.fail('no matcher is asked'),
  ...over,
})

const words = (match: Partial<MatchSpec>, over: Partial<RouteQuestion> = {}): string[] =>
  missesOf(matchSpec(match), question(over), 'web').map((miss) => miss.words)

it('names each condition that does not hold', () => {
  assert.deepEqual(words({ hosts: ['other.com', '*.example.com'] }), ['is for host other.com or *.example.com'])
  assert.deepEqual(words({ paths: ['/b/*'], methods: ['PUT', 'POST'] }), [
    'is for path /b/*',
    'asks for method PUT or POST',
  ])
  assert.deepEqual(words({ headers: [{ name: 'x-user', values: ['bob'] }] }), ['asks for header x-user: bob'])
  assert.deepEqual(words({ headers: [{ name: 'x-none', values: [] }] }), ['asks for the header x-none'])
  assert.deepEqual(words({ query: [{ name: 'x', values: ['2', '3'] }] }), ['asks for query parameter x: 2 or 3'])
  assert.deepEqual(words({ clients: ['192.168.0.0/16'] }), ['asks for client 192.168.0.0/16'])
  assert.deepEqual(words({ listeners: ['webs'] }), ['is for listener webs'])
  assert.deepEqual(words({ pathRegex: '/[0-9]+' }), ['is for paths ~ /[0-9]+'])
  assert.deepEqual(words({ paths: ['/a', '/c', '/d', '/e', '/f'] }), ['is for path /a or /c or /d or 2 others'])
  assert.deepEqual(words({ hosts: ['example.com'], paths: ['/a/*'], methods: ['GET'] }), [])
})

const some = <T>(...values: T[]) => fc.array(fc.constantFrom(...values), { maxLength: 2 })
const specs = fc.record({
  hosts: some('example.com', 'other.com', '*.example.com'),
  paths: some('/a', '/a/*', '/{x}/b', '/*', '/b/c'),
  methods: some('GET', 'POST'),
  headers: some({ name: 'x-user', values: ['ann'] }, { name: 'x-user', values: [] }, { name: 'x-no', values: ['*'] }),
  query: some({ name: 'x', values: ['1'] }, { name: 'y', values: [] }),
  clients: some('10.0.0.0/8', '192.0.2.1'),
  listeners: some('web', 'webs'),
  serverNames: some('example.com', '*.com'),
})
const questions = fc.record({
  method: fc.constantFrom('GET', 'POST'),
  host: fc.constantFrom('example.com', 'www.example.com', ''),
  path: fc.constantFrom('/a', '/a/b', '/b/c', '/'),
  query: fc.constantFrom('', '?x=1', '?y=&x=2'),
  fields: fc.constantFrom('', 'x-user: ann\r\n', 'X_User: bob\r\n'),
  address: fc.constantFrom('10.1.2.3', '192.0.2.1', '::1'),
  serverName: fc.constantFrom('', 'example.com'),
})

it('finds nothing missing just where the router takes the request', () => {
  fc.assert(
    fc.property(specs, questions, (conditions, asked) => {
      const match = matchSpec(conditions)
      const taken = new Router([{ match }], 'web').match(question(asked)) === 0
      assert.equal(missesOf(match, question(asked), 'web').length === 0, taken)
    }),
    { numRuns: 2000 },
  )
})
