import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseDictionary } from './structured-dictionary.ts'

const read = (text: string): unknown => {
  const members = parseDictionary(text)
  return members === null
    ? null
    : Object.fromEntries([...members].map(([key, m]) => [key, 'value' in m ? m.value : m.kind]))
}

const cases: [string, unknown][] = [
  ['', {}],
  ['  ', {}],
  ['max-age=600', { 'max-age': 600 }],
  ['max-age=600, no-store', { 'max-age': 600, 'no-store': true }],
  ['a=1,b=-2 ,\tc=?0', { a: 1, b: -2, c: false }],
  ['a=1, a=2', { a: 2 }],
  ['a;x=1;y, b=2;z="q"', { a: true, b: 2 }],
  [
    'a="x\\"y", b=tok/en:x, c=:aGk=:, d=1.5, e=(1 "a");p, f=@1659578233, g=%"x%c3%bc"',
    {
      a: 'x"y',
      b: 'other',
      c: 'other',
      d: 'other',
      e: 'other',
      f: 'other',
      g: 'other',
    },
  ],
  ['*a.b_c-d=1', { '*a.b_c-d': 1 }],
  ['Max-Age=600', null],
  ['max-age=600,', null],
  ['max-age=600 no-store', null],
  ['max-age=600; No', null],
  ['max-age =600', null],
  ['max-age= 600', null],
  ['max-age=', null],
  ['max-age=1234567890123456', null],
  ['max-age=1.2345', null],
  ['a="x', null],
  ['a="x\\y"', null],
  ['a=(1', null],
  ['a=(1"x")', null],
  ['a=?2', null],
  [',a', null],
  ['a,,b', null],
  ['a=\u00fc', null],
]
for (const [text, expected] of cases) test(`dictionary: ${text}`, () => assert.deepEqual(read(text), expected))

test('nothing makes it throw', () => {
  const text = fc.string({ unit: fc.constantFrom(...'abAB=,;" \\-01.?:()@%*\t'), maxLength: 30 })
  fc.assert(fc.property(text, (value) => void parseDictionary(value)))
})
