import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { linearRegex } from './linear-regex.ts'
import { literalPrefix } from './literal-prefix.ts'

const read: [string, string, string][] = [
  ['/api/.*', '/api/', 'anything'],
  ['^/api/.*$', '/api/', 'anything'],
  ['/api', '/api', 'nothing'],
  ['^/a\\.b$', '/a.b', 'nothing'],
  ['.*', '', 'anything'],
  ['/users/[0-9]+', '/users/', 'pattern'],
  ['/ab*', '/a', 'pattern'],
  ['/ab?c', '/a', 'pattern'],
  ['/ab{2}', '/a', 'pattern'],
  ['/ab+', '/ab', 'pattern'],
  ['/a\\d', '/a', 'pattern'],
  ['/a(b|c)', '/a', 'pattern'],
  ['/a[|]b', '/a', 'pattern'],
  ['/a|/b', '', 'pattern'],
  ['/[(]a|b', '', 'pattern'],
  ['/[])]a|b', '', 'pattern'],
  ['/\\Qa|b\\E', '', 'pattern'],
  ['(?i)/a', '', 'pattern'],
]
for (const [source, prefix, tail] of read)
  test(`${source} begins with ${JSON.stringify(prefix)}`, () =>
    assert.deepEqual(literalPrefix(source), { prefix, tail }))

test('whatever a pattern matches begins with its prefix, and its tail is what it is said to be', () => {
  const piece = fc.constantFrom(
    '/',
    'a',
    'b',
    '|',
    '(',
    ')',
    '(?:',
    '[ab]',
    '[^a]',
    '[]|]',
    '.',
    '*',
    '+',
    '?',
    '{2}',
    '\\.',
    '\\|',
    '^',
    '$',
    '.*',
    '(?i)',
  )
  const text = fc
    .array(fc.constantFrom('/', 'a', 'b', 'A', '.', '|', ']'), { maxLength: 6 })
    .map((characters) => characters.join(''))
  let matched = 0
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.array(text, { minLength: 5, maxLength: 30 }), (pieces, texts) => {
      const source = pieces.join('')
      let regex: ReturnType<typeof linearRegex>
      try {
        regex = linearRegex(source)
      } catch {
        return
      }
      const { prefix, tail } = literalPrefix(source)
      for (const candidate of [...texts, prefix, `${prefix}/a`]) {
        const matches = regex.matches(candidate)
        if (matches) assert.ok(candidate.startsWith(prefix), candidate)
        if (tail === 'nothing') assert.equal(matches, candidate === prefix)
        if (tail === 'anything') assert.equal(matches, candidate.startsWith(prefix))
        if (matches) matched++
      }
    }),
    { numRuns: 4000 },
  )
  assert.ok(matched > 1000, String(matched))
})
