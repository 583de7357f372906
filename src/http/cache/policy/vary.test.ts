import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { codedSelector, matches, parseSelector, selectingValue, selectorText, varyNames } from './vary.ts'

const fits = (names: readonly string[], stored: string, asked: string): boolean =>
  matches(parseSelector(selectorText('p', names, stored, '')), 'p', asked)

test('a selector comes back as it was put together', () => {
  const text = selectorText('p 1\n2', ['accept-language', 'x'], 'Accept-Language: de\r\n', 'br')
  const { partition, coding, names, values } = parseSelector(text)
  assert.deepEqual([partition, coding, names, values], ['p 1\n2', 'br', ['accept-language', 'x'], [':de', '']])
  assert.equal(parseSelector(codedSelector(text, '')).coding, '')
  assert.deepEqual(parseSelector(codedSelector(text, 'gzip')).values, values)
  for (const wrong of ['', 'x', '9  p', '-1  p', '1']) assert.throws(() => parseSelector(wrong), SyntaxError)
})

test('another partition never fits', () => {
  const selector = parseSelector(selectorText('p', [], '', ''))
  assert.ok(matches(selector, 'p', '') && !matches(selector, 'q', ''))
})

const same: [string, string, string][] = [
  ['x', 'X: a\r\n', 'x:a  \r\n'],
  ['x', 'X: a\r\nX: b\r\n', 'X: a, b\r\n'],
  ['x', '', 'Y: a\r\n'],
  ['cookie', 'Cookie: a=1; b=2\r\n', 'Cookie: a=1\r\nCookie: b=2\r\n'],
  ['accept-language', 'Accept-Language: de, en;q=0.5\r\n', 'Accept-Language: DE,en; q=0.5\r\n'],
  ['accept', 'Accept: text/html, */*;q=0.1\r\n', 'Accept: text/html,*/*; q=0.1\r\n'],
  ['accept-encoding', 'Accept-Encoding: gzip, br, deflate\r\n', 'Accept-Encoding: br;q=1, gzip\r\n'],
]
for (const [name, a, b] of same) {
  test(`${name} alike: ${JSON.stringify([a, b])}`, () => assert.ok(fits([name], a, b) && fits([name], b, a)))
}

test('a value of much white space costs no more than its length', () => {
  const blanks = `a${' '.repeat(200_000)}b`
  for (const name of ['accept', 'accept-language', 'x']) {
    const started = performance.now()
    selectingValue(name, `${name}: ${blanks}\r\n`)
    assert.ok(performance.now() - started < 1000, name)
  }
})

const others: [string, string, string][] = [
  ['x', '', 'X:\r\n'],
  ['x', 'X: a\r\n', 'X: A\r\n'],
  ['x', 'X: a,b\r\n', 'X: a, b\r\n'],
  ['x', 'X: a\r\nX: b\r\n', 'X: b\r\nX: a\r\n'],
  ['x-a', 'X-A: 1\r\n', 'X_A: 1\r\n'],
  ['x-a', '', 'X_A: 1\r\n'],
  ['x-a', 'X-A: 1\r\n', 'X-A: 1\r\nX.A: 1\r\n'],
  ['x-a', 'X-A: 1, 2\r\n', 'X-A: 1\r\nX_A: 2\r\n'],
  ['accept', 'Accept: a/b;c="x, y"\r\n', 'Accept: a/b;c="x,y"\r\n'],
  ['accept-language', 'Accept-Language: de, en\r\n', 'Accept-Language: en, de\r\n'],
  ['cookie', 'Cookie: a=1\r\n', 'Cookie: a=2\r\n'],
  ['x', `X: ${'a'.repeat(300)}\r\n`, `X: ${'a'.repeat(301)}\r\n`],
  ['accept-encoding', '', 'Accept-Encoding: \r\n'],
]
for (const [name, a, b] of others) {
  test(`${name} not alike: ${JSON.stringify([a, b]).slice(0, 60)}`, () =>
    assert.ok(!fits([name], a, b) && !fits([name], b, a)))
}

test('secrets and long values are not readable, and a value cannot pass for a digest', () => {
  for (const [name, value] of [
    ['cookie', 'session=secret'],
    ['authorization', 'secret'],
    ['x', 'secret'.repeat(50)],
  ] as const) {
    const selecting = selectingValue(name, `${name}: ${value}\r\n`)
    assert.match(selecting, /^=[\w-]{43}$/)
    assert.ok(!fits([name], `${name}: ${value}\r\n`, `${name}: ${selecting}\r\n`))
  }
})

test('names of the answer and of the route, each once', () => {
  assert.deepEqual(varyNames(['b', 'c'], ['a', 'b']), ['a', 'b', 'c'])
  assert.deepEqual(varyNames(['b'], []), ['b'])
})

// What a field may hold (FIELD_BLOCK in grammar.ts), with much that separates.
const anyValue = fc.string({ unit: fc.constantFrom(...'ab:=, ;"\t\u00fc0'), maxLength: 6 })
const anyFields = fc.array(fc.tuple(fc.constantFrom('x-a', 'x-b', 'X_A'), anyValue), { maxLength: 3 })
const block = (lines: readonly (readonly [string, string])[]): string =>
  lines.map(([n, v]) => `${n}: ${v}\r\n`).join('')
const valuesOf = (lines: readonly (readonly [string, string])[], name: string): string | null => {
  const found = lines.filter(([n]) => n === name).map(([, v]) => v.replace(/^[\t ]+|[\t ]+$/g, ''))
  return found.length === 0 ? null : found.join(', ')
}

test('requests fit each other exactly if their fields say the same', () => {
  fc.assert(
    fc.property(anyFields, anyFields, (a, b) => {
      const isSame = ['x-a', 'x-b', 'X_A'].every((name) => valuesOf(a, name) === valuesOf(b, name))
      const fit = fits(['x-a', 'x-b'], block(a), block(b))
      // Lines of X_A are kept apart one by one.
      if (fit) assert.ok(isSame)
      else assert.ok(!isSame || a.some(([name]) => name === 'X_A'))
    }),
    { numRuns: 2000 },
  )
})

test('no partition passes for another with fields', () => {
  fc.assert(
    fc.property(anyFields, fc.string({ unit: fc.constantFrom(...'p \n:x-a01'), maxLength: 12 }), (lines, partition) => {
      const selector = parseSelector(selectorText(partition, ['x-a'], block(lines), ''))
      assert.equal(selector.partition, partition)
      assert.deepEqual(selector.names, ['x-a'])
    }),
  )
})
