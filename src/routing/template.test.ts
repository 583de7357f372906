import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseTemplate, type TemplatePlace, variableProblem, variables, variablesOf } from './template.ts'

test('a text is its literal parts and its variables', () => {
  assert.deepEqual(parseTemplate(''), [])
  assert.deepEqual(parseTemplate('/new/{path}?a={query.a}'), ['/new/', { name: 'path' }, '?a=', { name: 'query.a' }])
  assert.deepEqual(parseTemplate('{header.X-User}{cookie.A}'), [{ name: 'header.x-user' }, { name: 'cookie.A' }])
  assert.deepEqual(parseTemplate('{{path}} }} {{{path}'), ['{path}} }} {', { name: 'path' }])
})

test('a brace that begins no variable is an error, but not in bodies', () => {
  for (const bad of ['{', 'a {b', '{ path }', '{}', '{a b}', '{1}', '{a:b}']) {
    assert.throws(() => parseTemplate(bad), /begins no variable/, bad)
    assert.deepEqual(parseTemplate(bad, { loose: true }), [bad])
  }
  assert.deepEqual(parseTemplate('h1 { color: red } {path}', { loose: true }), ['h1 { color: red } ', { name: 'path' }])
})

test('text with its braces doubled is itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.equal(parseTemplate(text.replaceAll('{', '{{')).join(''), text)
    }),
  )
})

const problem = (name: string, place: TemplatePlace = 'request', params: string[] = []) =>
  variableProblem(name, place, params)

test('every variable is known where it can be, and no other', () => {
  for (const { name, family, places } of variables) {
    for (const place of ['request', 'answer', 'response', 'error-page'] as const) {
      const found = problem(family === true ? `${name}.x` : name, place)
      assert.equal(found === null, places.includes(place), `${name} in ${place}`)
    }
  }
  assert.equal(problem('id', 'request', ['id']), null)
})

test('an unknown variable is told with the one that was meant', () => {
  assert.match(problem('clint.ip')!.hint, /\{client\.ip\}/)
  assert.match(problem('user_id', 'request', ['userId'])!.hint, /\{userId\}/)
  assert.match(problem('headers.x-a')!.hint, /\{header\.x-a\}/)
  assert.match(problem('header')!.hint, /\{header\.NAME\}/)
  assert.match(problem('status')!.message, /not known yet/)
  assert.match(problem('something')!.message, /no variable/)
  assert.equal(problem('toString') === null || problem('constructor') === null, false)
})

test('variables are listed once', () => {
  assert.deepEqual(variablesOf(parseTemplate('{path} {route} {path}')), ['path', 'route'])
})
