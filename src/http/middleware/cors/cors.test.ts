import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fields, TestRequest, TestResponse } from '../../../../test/support/request-view.ts'
import type { Answer } from '../../../core/plugin.ts'
import type { CorsSpec } from '../../../core/route-spec.ts'
import { cors } from './cors.ts'

const spec: CorsSpec = {
  origins: ['https://app.example', 'https://*.example.com'],
  methods: ['GET', 'PUT'],
  headers: ['X-Token', 'Content-Type'],
  expose: ['X-Total', 'ETag'],
  credentials: true,
  maxAgeS: 600,
}

function preflight(over: Partial<CorsSpec>, origin: string, fields: Fields = []): Answer | undefined {
  const asked: Fields = [['Origin', origin], ['Access-Control-Request-Method', 'PUT'], ...fields]
  return cors({ ...spec, ...over }).onRequest?.(new TestRequest({ method: 'OPTIONS', fields: asked })) as Answer
}

/** The answer's fields after the step. */
function shared(over: Partial<CorsSpec>, request: Fields, answer: Fields = []): string[] {
  const response = new TestResponse(new TestRequest({ fields: request }), answer)
  cors({ ...spec, ...over }).onResponse?.(response)
  return response.forClient.map(([name, value]) => `${name}: ${value}`)
}

const VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'

test('a preflight is answered with what the route allows', () => {
  assert.deepEqual(preflight({}, 'https://a.example.com', [['Access-Control-Request-Headers', 'x-token']]), {
    status: 204,
    headers: {
      Vary: VARY,
      'Access-Control-Allow-Origin': 'https://a.example.com',
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Allow-Methods': 'GET, PUT',
      'Access-Control-Allow-Headers': 'X-Token, Content-Type',
      'Access-Control-Max-Age': '600',
    },
  })
})

test('a preflight of another origin is answered, and allowed nothing', () => {
  for (const origin of ['https://evil-example.com', 'null', '', 'https://app.example, https://evil.example']) {
    assert.deepEqual(preflight({}, origin), { status: 204, headers: { Vary: VARY } })
  }
  const two: Fields = [['Origin', 'https://app.example']]
  assert.deepEqual(preflight({}, 'https://app.example', two)?.headers, { Vary: VARY })
})

test('whatever is asked for, where the list says so, if it is a list of names', () => {
  const any = { methods: ['*'], headers: ['*'] }
  const asked = (value: string) =>
    preflight(any, 'https://app.example', [['Access-Control-Request-Headers', value]])?.headers
  assert.equal(asked('authorization,x-a')?.['Access-Control-Allow-Headers'], 'authorization, x-a')
  assert.equal(asked('authorization')?.['Access-Control-Allow-Methods'], 'PUT')
  for (const value of ['a b', 'a;b', '', ',', 'x'.repeat(2000)]) {
    assert.equal(asked(value)?.['Access-Control-Allow-Headers'], undefined, value)
  }
})

test('any origin, and never with credentials', () => {
  const headers = preflight({ origins: ['*'] }, 'https://anybody.example')?.headers
  assert.equal(headers?.['Access-Control-Allow-Origin'], '*')
  assert.equal(headers?.['Access-Control-Allow-Credentials'], undefined)
  assert.deepEqual(shared({ origins: ['*'], expose: [] }, []), ['Access-Control-Allow-Origin: *'])
})

test('other OPTIONS requests are the backend’s', () => {
  const step = cors(spec)
  const origin = ['Origin', 'https://app.example'] as const
  const method = ['Access-Control-Request-Method', 'PUT'] as const
  for (const [verb, fields] of [
    ['OPTIONS', [origin]],
    ['OPTIONS', [method]],
    ['GET', [origin, method]],
  ] as const) {
    assert.equal(step.onRequest?.(new TestRequest({ method: verb, fields })), undefined)
  }
})

test('an answer says who may read it, whatever the backend said', () => {
  const own: Fields = [
    ['Access-Control-Allow-Origin', '*'],
    ['access-control-allow-credentials', 'true'],
    ['Access-Control-Expose-Headers', 'X-Secret'],
    ['Content-Type', 'text/plain'],
  ]
  assert.deepEqual(shared({}, [['Origin', 'https://app.example']], own), [
    'Content-Type: text/plain',
    'Vary: Origin',
    'Access-Control-Allow-Origin: https://app.example',
    'Access-Control-Allow-Credentials: true',
    'Access-Control-Expose-Headers: X-Total, ETag',
  ])
  assert.deepEqual(shared({}, [['Origin', 'https://evil.example']], own), ['Content-Type: text/plain', 'Vary: Origin'])
  assert.deepEqual(shared({}, [], own), ['Content-Type: text/plain', 'Vary: Origin'])
})

test('Vary is said once', () => {
  const origin: Fields = [['Origin', 'https://evil.example']]
  assert.deepEqual(shared({}, origin, [['Vary', 'Accept, origin']]), ['Vary: Accept, origin'])
  assert.deepEqual(shared({}, origin, [['Vary', '*']]), ['Vary: *'])
  assert.deepEqual(shared({}, origin, [['Vary', 'Accept']]), ['Vary: Accept', 'Vary: Origin'])
})

test('the answer to a preflight stays as it was made', () => {
  const fields: Fields = [
    ['Origin', 'https://app.example'],
    ['Access-Control-Request-Method', 'PUT'],
  ]
  const request = new TestRequest({ method: 'OPTIONS', fields })
  const response = new TestResponse(
    request,
    [
      ['Access-Control-Allow-Methods', 'PUT'],
      ['Vary', VARY],
    ],
    204,
  )
  cors(spec).onResponse?.(response)
  assert.deepEqual(response.forClient, [
    ['Access-Control-Allow-Methods', 'PUT'],
    ['Vary', VARY],
  ])
})
