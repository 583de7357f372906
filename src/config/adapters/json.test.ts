import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type SourceNode, toValue } from '../source-tree.ts'
import { parseJson } from './json.ts'

const parse = (text: string) => parseJson({ name: 'x.json', text })

/** Every node with the text at its place. */
function places(node: SourceNode): [path: string, text: string][] {
  const { source, at, path } = node.origin
  const children = node.kind === 'object' ? [...node.entries.values()] : node.kind === 'array' ? node.items : []
  return [[path.join('/'), source.text.slice(at, at + 3)], ...children.flatMap(places)]
}

test('what is written is what is read', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const tree = parse(JSON.stringify(value))
      assert.ok(!Array.isArray(tree))
      assert.deepEqual(toValue(tree), JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('every value knows its path and its place, and every key its own', () => {
  const tree = parse('{ "a": [1, {"b": "x"}], // c\n "d": {"a b": null,}, }')
  assert.ok(!Array.isArray(tree) && tree.kind === 'object')
  assert.deepEqual(places(tree), [
    ['', '{ "'],
    ['a', '[1,'],
    ['a/0', '1, '],
    ['a/1', '{"b'],
    ['a/1/b', '"x"'],
    ['d', '{"a'],
    ['d/a b', 'nul'],
  ])
  const { keyAt, source } = tree.entries.get('d')!.origin
  assert.equal(source.text.slice(keyAt, keyAt + 3), '"d"')
})

test('a key that stands twice is told at the second place, however deep', () => {
  const problems = parse('{"a": {"b": 1, "b": {"c": 1, "c": 2}}}')
  assert.ok(Array.isArray(problems))
  assert.deepEqual(
    problems.map(({ path, column }) => [path, column]),
    [
      ['a.b', 16],
      ['a.b.c', 30],
    ],
  )
})

test('the first mistake is told, and depth has an end', () => {
  const message = (text: string) => {
    const problems = parse(text)
    return Array.isArray(problems) ? problems.map((one) => one.message) : []
  }
  assert.deepEqual(message('{"a": 1 "b": }'), ['broken JSON: a "," is expected here'])
  assert.deepEqual(message('{} {}'), ['broken JSON: the end of the file is expected here'])
  assert.deepEqual(message('['.repeat(100_000)), ['broken JSON: more than 100 levels deep'])
  assert.equal(message(`${'['.repeat(100)}${']'.repeat(100)}`).length, 0)
})
