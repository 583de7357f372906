import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { jsonProblem, lineOfPath, offsetOfLine, offsetOfPath } from './json-place.ts'

const text = `{
  "pools": {
    "a b": { "strategy": "x,]}\\"", "backends": ["u", { "url": "v" }] },
    "api": {
      "backends": [
        "one",
        { "url": "two", "weight": 0 }
      ]
    }
  }
}`

it('finds the line of a value by its path, in both ways of writing one', () => {
  assert.deepEqual(
    ['pools', 'pools.api', 'pools.api.backends.1.weight', 'pools.api.backends[0]', 'pools.a b.backends.1.url'].map(
      (path) => lineOfPath(text, path),
    ),
    [2, 4, 7, 6, 3],
  )
})

it('what is not there is the place where it would be', () => {
  assert.equal(lineOfPath(text, 'pools.api.strategy'), 4)
  assert.equal(lineOfPath(text, 'nothing'), 1)
  assert.equal(lineOfPath('', 'x'), null)
})

it('lines are found by number', () => {
  assert.equal(text.slice(offsetOfLine(text, 6)).trimStart().slice(0, 5), '"one"')
  assert.equal(offsetOfLine(text, 99), text.length)
})

it('says where a text stops being JSON', () => {
  assert.equal(jsonProblem(text), null)
  assert.equal(jsonProblem('{\n  "a": 1,\n  "b" 2\n}')?.line, 3)
  assert.equal(jsonProblem('{\n  "a": [1\n')?.line, 3)
})

it('every value of any document is found', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.boolean(), (value, wide) => {
      const json = JSON.stringify(value, null, wide ? 2 : 0)
      for (const [path, found] of leaves(value, [])) {
        if (path.some((part) => part === '' || part === '$' || /[.[\]]/.test(part))) continue
        const at = offsetOfPath(json, path.join('.'))
        const rest = json.slice(at!)
        const key = path.at(-1)
        const isMember = key !== undefined && rest.startsWith(`${JSON.stringify(key)}:`)
        assert.ok(isMember || rest.startsWith(JSON.stringify(found)), `${path.join('.')} in ${json}`)
      }
    }),
  )
})

function leaves(value: unknown, path: string[]): [string[], unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]]
  return Object.entries(value).flatMap(([key, member]) => leaves(member, [...path, key]))
}
