import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeThrown, messageOf } from './describe-thrown.ts'

test('an error is shown with its stack, as far as it is not of Node itself, and with its causes', () => {
  const error = new Error('outer', { cause: new TypeError('inner', { cause: 'text' }) })
  const text = describeThrown(error)
  assert.match(text, /^Error: outer\n {4}at .*describe-thrown\.test\.ts:\d+:\d+/)
  assert.match(text, /\n {2}caused by TypeError: inner[\s\S]*\n {2}caused by thrown: text$/)
  assert.doesNotMatch(text, /node:internal|file:\/\//)
})

test('queries of modules are left out of file names', () => {
  const error = new Error('x')
  error.stack = 'Error: x\n    at f (file:///a/b.ts?content=0123:4:5)\n    at node:internal/x:1:2'
  assert.equal(describeThrown(error), 'Error: x\n    at f (/a/b.ts:4:5)')
})

test('anything may be thrown, and what cannot be shown does not throw again', () => {
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no')
      },
    },
  )
  for (const thrown of [undefined, null, 0, '', 'a', Symbol('s'), {}, [], () => 0, hostile, Object.create(null)]) {
    assert.equal(typeof describeThrown(thrown), 'string')
    assert.equal(typeof messageOf(thrown), 'string')
  }
  const error = new Error('x')
  Object.defineProperty(error, 'stack', {
    get: () => {
      throw new Error('no')
    },
  })
  assert.equal(describeThrown(error), 'something that cannot be shown')
  assert.equal(messageOf(new Error('a\n  b')), 'a b')
  const endless = new Error('again')
  endless.cause = endless
  assert.ok(describeThrown(endless).length < 4001)
})
