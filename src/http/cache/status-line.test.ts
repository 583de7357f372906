import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storeRefusals } from '../../state/names.ts'
import { rules } from './policy/rules.ts'
import { type ForwardFacts, forwardLine, type HitFacts, hitLine } from './status-line.ts'

const hit = (of: Partial<HitFacts>, mode: 'on' | 'off' | 'key' = 'on'): string =>
  hitLine(mode, { age: 3, ttl: 30, detail: '', key: '', isCollapsed: false, ...of })
const forwarded = (of: Partial<ForwardFacts>, mode: 'on' | 'off' | 'key' = 'on'): string =>
  forwardLine(mode, {
    why: 'uri-miss',
    fwdStatus: 0,
    ttl: Number.NaN,
    isStored: false,
    isCollapsed: false,
    detail: '',
    refusal: null,
    key: '',
    ...of,
  })

test('an answer from the store: Age, and Cache-Status', () => {
  assert.equal(hit({}), 'Age: 3\r\nCache-Status: frontdesk; hit; ttl=30\r\n')
  assert.equal(
    hit({ ttl: -1, detail: 'status-503' }),
    'Age: 3\r\nCache-Status: frontdesk; hit; ttl=-1; detail=status-503\r\n',
  )
  assert.equal(hit({ isCollapsed: true }), 'Age: 3\r\nCache-Status: frontdesk; fwd=miss; collapsed; ttl=30\r\n')
  assert.equal(hit({}, 'off'), 'Age: 3\r\n')
})

test('an answer that a backend was asked for', () => {
  const line = (parameters: string): string => `Cache-Status: frontdesk; ${parameters}\r\n`
  assert.equal(forwarded({}), line('fwd=uri-miss'))
  assert.equal(forwarded({ isStored: true }), line('fwd=uri-miss; stored'))
  assert.equal(forwarded({ refusal: 'private' }), line('fwd=uri-miss; detail=private'))
  assert.equal(forwarded({ why: 'stale', fwdStatus: 304, ttl: 60 }), line('fwd=stale; fwd-status=304; ttl=60'))
  assert.equal(forwarded({ isStored: true, isCollapsed: true }), line('fwd=uri-miss; stored; collapsed'))
  assert.equal(forwarded({ detail: 'waited', refusal: 'private' }), line('fwd=uri-miss; detail=waited'))
  assert.equal(forwarded({}, 'off'), '')
})

test('the key is a String of Structured Fields (RFC 9651 §3.3.3)', () => {
  const key = 'http://a/"\\\u00fc'
  const told = '; key="http://a/\\"\\\\?"\r\n'
  assert.ok(hit({ key }, 'key').endsWith(told))
  assert.ok(forwarded({ key, refusal: 'no-store' }, 'key').endsWith(`; detail=no-store${told}`))
})

test('every reason is a Token, and every rule says where it is written', () => {
  for (const id of [...Object.keys(rules), ...storeRefusals]) assert.match(id, /^[a-z][a-z-]*$/)
  for (const { section, words } of Object.values(rules)) {
    assert.match(section, /^(?:own|RFC \d{4}(?: §[\d.]+)?)$/)
    assert.match(words, /^[^A-Z].*[^.]$/s)
  }
})
