// Which form of an error answer a client gets (RFC 9110 §12.5.1).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AnswerForm, preferredForm } from './accept.ts'

const chrome =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7'

test('what clients really send', () => {
  for (const [accept, form] of [
    ['', 'text'],
    ['*/*', 'text'],
    [chrome, 'html'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'html'],
    ['application/json, text/plain, */*', 'json'],
    ['application/json', 'json'],
    ['application/problem+json', 'json'],
    ['application/*', 'json'],
    ['text/*', 'text'],
    ['image/avif,image/webp,*/*;q=0.8', 'text'],
    ['image/png', 'text'],
    ['text/event-stream', 'text'],
    ['text/css,*/*;q=0.1', 'text'],
  ] as const) {
    assert.equal(preferredForm(accept), form, accept)
  }
})

test('weights, what is most specific, and what cannot be read', () => {
  for (const [accept, form] of [
    ['text/html;q=0.5, application/json;q=0.6', 'json'],
    ['text/plain;q=0, text/html;q=0.1', 'html'],
    ['*/*, text/plain;q=0', 'html'],
    ['text/*, text/plain;q=0, text/html;q=0', 'text'],
    ['TEXT/HTML', 'html'],
    ['text/html;level=1;q=0.4, application/json;q=0.3', 'html'],
    ['text/html;x="a,b;q=0";q=0.4, application/json;q=0.5', 'json'],
    ['text/html ; q=0.4 , application/json\t;\tq=0.5', 'json'],
    ['text/html;q=2, application/json;q=0.1', 'json'],
    ['text/html;q=0.1234, application/json;q=0.1', 'json'],
    ['text/html;q=, application/json', 'json'],
    ['*/html, application/json;q=0.1', 'json'],
    ['text html, application/json', 'json'],
    ['text/html;x="open, application/json', 'text'],
    [',,,application/json,', 'json'],
    ['application/json;q=0.9, application/problem+json;q=0, text/html;q=0.8', 'json'],
  ] as const) {
    assert.equal(preferredForm(accept), form, accept)
  }
})

const types = [
  'text/plain',
  'text/html',
  'application/problem+json',
  'application/json',
  'text/*',
  'application/*',
  '*/*',
  'image/png',
]
const member = fc.record({
  type: fc.constantFrom(...types),
  thousandths: fc.integer({ min: 0, max: 1000 }),
  space: fc.constantFrom('', ' ', '\t'),
})

test('no form is chosen that another beats by weight', () => {
  const byForm: Readonly<Record<AnswerForm, readonly string[]>> = {
    text: ['text/plain'],
    html: ['text/html'],
    json: ['application/problem+json', 'application/json'],
  }
  fc.assert(
    fc.property(fc.uniqueArray(member, { maxLength: 8, selector: ({ type }) => type }), (members) => {
      const accept = members
        .map(({ type, thousandths, space }) => `${type}${space};${space}q=${(thousandths / 1000).toFixed(3)}`)
        .join(`,${members[0]?.space ?? ''}`)
      const weightOf = (type: string): number => {
        const family = `${type.split('/')[0]}/*`
        const found = [type, family, '*/*'].map((range) => members.find((one) => one.type === range))
        return found.find((one) => one !== undefined)?.thousandths ?? 0
      }
      const best = (form: AnswerForm): number => Math.max(...byForm[form].map(weightOf))
      const chosen = preferredForm(accept)
      const highest = Math.max(best('text'), best('html'), best('json'))
      if (accept !== '' && highest > 0) assert.equal(best(chosen), highest, accept)
      else assert.equal(chosen, 'text')
    }),
  )
})

test('nothing that a client can write takes long, or throws', () => {
  fc.assert(fc.property(fc.string(), (accept) => void preferredForm(accept)))
  const before = performance.now()
  for (const piece of [
    'a/b;',
    'a/b;q=1,',
    '"',
    '\\"',
    ';x="',
    'text/html;;',
    ' ;\t',
    '; ',
    ' ; a=b',
    ';a="b" ',
    'a/',
    ',',
  ]) {
    for (const end of ['', '@', '"', '; q']) {
      for (const count of [100, 20_000]) {
        preferredForm(piece.repeat(count) + end)
        preferredForm(`text/html${piece.repeat(count)}${end}`)
      }
    }
  }
  assert.ok(performance.now() - before < 500, `${performance.now() - before} ms`)
})
