// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linearRegex } from './linear-regex.ts'

test('matches the whole text, or any part of it', () => {
  const regex = linearRegex('/users/[0-9]+')
  assert.equal(regex.matches('/users/12'), true)
  assert.equal(regex.matches('/users/12/'), false)
  assert.equal(regex.matches('x/users/12'), false)
  assert.equal(regex.test('x/users/12/'), true)
  assert.equal(linearRegex('^/a|/b$').matches('/b'), true)
})

test('gives named groups, of a match of the whole text only', () => {
  const regex = linearRegex('/(?<kind>[a-z]+)/(?:x)(y)?(?P<rest>.*)?')
  assert.deepEqual(regex.names, ['kind', 'rest'])
  assert.equal(regex.groupCount, 3)
  assert.deepEqual(regex.captures('/abc/xyz'), ['abc', 'z'])
  assert.deepEqual(linearRegex('(?<a>x)?y').captures('y'), [''])
  assert.equal(regex.captures('/abc'), null)
})

const replacements: [string, string, string, string][] = [
  ['^/old/(.*)$', '/new/$1', '/old/a/b', '/new/a/b'],
  ['/(?<a>[^/]+)/(?<b>[^/]+)', '/${b}/${a}', '/x/y/z', '/y/x/z'],
  ['a', 'b', '/a/a', '/b/a'],
  ['(x)?/a', '[$1]$0$$1', '/a', '[]/a$1'],
  ['(a)', '${1}0', '/a', '/a0'],
  ['nothing', 'b', '/a', '/a'],
]
for (const [pattern, to, text, expected] of replacements)
  test(`${pattern} → ${to}`, () => assert.equal(linearRegex(pattern).replacer(to)(text), expected))

const bad: [string, RegExp][] = [
  ['(', /^"\(" is no regular expression: missing closing \)/],
  ['a**', /invalid nested repetition/],
  ['[z-a]', /invalid character class range/],
  ['/(?=a)', /look-ahead and look-behind do not exist/],
  ['(?<!a)b', /look-ahead and look-behind do not exist/],
  ['(a)\\1', /back-references do not exist/],
  ['((a{1000}){1000}){1000}', /invalid repeat count/],
  ['(?<__proto__>a)', /group name "__proto__" must begin with a letter/],
]
for (const [pattern, message] of bad)
  test(`${pattern} is refused with a reason`, () => assert.throws(() => linearRegex(pattern), { message }))

for (const [to, message] of [
  ['$2', /"\$2" is no group of "\(\?<a>x\)": it has 1, named a/],
  ['${b}', /"\$\{b\}" is no group/],
  ['$', /a "\$" must be followed by a group/],
  ['${constructor}', /is no group/],
] as const)
  test(`the replacement ${to} is refused with a reason`, () =>
    assert.throws(() => linearRegex('(?<a>x)').replacer(to), { message }))

/** Best of several, milliseconds. */
function time(run: () => void): number {
  const times = Array.from({ length: 7 }, () => {
    const start = performance.now()
    run()
    return performance.now() - start
  })
  return Math.min(...times)
}

for (const pattern of ['(a+)+$', '(a|aa)+$', '(.*a){12}b', '(?<all>(a*)*)b', 'a(.*b)?']) {
  test(`${pattern} takes linear time on text that makes backtracking engines hang`, () => {
    const regex = linearRegex(pattern)
    const replace = regex.replacer('$0x')
    const runOn = (length: number) => {
      const text = `${'a'.repeat(length)}!`
      return () => {
        regex.matches(text)
        regex.test(text)
        regex.captures(text)
        replace(text)
      }
    }
    runOn(1024)()
    // Linear is 8, quadratic 64; small times are noisy, and a busy machine can only make them longer: one of some tries counts.
    const tries = Array.from({ length: 5 }, () => ({ small: 0, large: 0 }))
    const isLinear = tries.some((one) => {
      one.small = time(runOn(1024))
      one.large = time(runOn(8192))
      return one.large < 24 * one.small + 1
    })
    assert.ok(isLinear, `milliseconds for 1 KB and for 8 KB: ${JSON.stringify(tries)}`)
  })
}
