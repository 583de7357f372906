import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAskedFor } from './upgrade.ts'

test('only a protocol that was asked for, whole and in any case', () => {
  for (const [asked, answered, allowed] of [
    ['websocket', 'websocket', true],
    ['WebSocket', 'websocket', true],
    ['a, websocket', 'WEBSOCKET', true],
    ['a, b', 'c', false],
    ['websocket', 'web', false],
    ['websocket', '', false],
    ['a, websocket', 'a, websocket', false],
    ['', '', false],
    ['', 'websocket', false],
  ] as const) {
    assert.equal(isAskedFor(asked, answered), allowed, `${asked} / ${answered}`)
  }
})
