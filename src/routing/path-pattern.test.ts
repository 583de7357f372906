import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PathKind, pathPattern, pathShape } from './path-pattern.ts'
import { pathRegex } from './path-regex.ts'

const good: [string, string, PathKind, string[]][] = [
  ['*', '/*', 'any', []],
  ['/*', '/*', 'any', []],
  ['/', '/', 'exact', []],
  ['/a/b/', '/a/b/', 'exact', []],
  ['/a/{id}/b', '/a/{id}/b', 'parts', ['id']],
  ['/a/*', '/a/*', 'prefix', []],
  ['/{tenant}/files/{file_2}/*', '/{tenant}/files/{file_2}/*', 'prefix', ['tenant', 'file_2']],
  ['/%61/%2e%2E/%c3%a9', '/%C3%A9', 'exact', []],
  ['/café/ü b', '/caf%C3%A9/%C3%BC%20b', 'exact', []],
  ['/a/../{id}', '/{id}', 'parts', ['id']],
  ['/a%2Ab', '/a%2Ab', 'exact', []],
]
for (const [written, pattern, kind, parts] of good)
  test(`${written} is ${pattern}`, () => assert.deepEqual(pathPattern(written), { pattern, kind, parts }))

const bad: [string, string][] = [
  ['', 'a path begins with "/": write "/"'],
  ['api/x', 'a path begins with "/": write "/api/x"'],
  ['/api*', '"/api*" is no prefix: write "/api/*", which takes "/api" too'],
  ['/api/v*', '"/api/v*" is no prefix: write "/api/v/*", which takes "/api/v" too'],
  ['/a/*/b', '"*" stands only at the end: name a part instead, as in "/a/{name}/b"'],
  [
    '/*.php',
    '"*" stands only for whole segments at the end, as in "/api/*": use "path_regex", or write "%2A" for the character itself',
  ],
  ['/a/x{id}', '"x{id}" must be a part like "{id}" as a whole, between slashes; or use "path_regex"'],
  ['/a/{id}.json', '"{id}.json" must be a part like "{id}" as a whole, between slashes; or use "path_regex"'],
  ['/a/{', '"{" must be a part like "{id}" as a whole, between slashes; or use "path_regex"'],
  ['/a/{}', 'the part "{}" must begin with a letter and go on with letters, digits or "_"'],
  ['/a/{1}', 'the part "{1}" must begin with a letter and go on with letters, digits or "_"'],
  ['/a/{__proto__}', 'the part "{__proto__}" must begin with a letter and go on with letters, digits or "_"'],
  ['/a/{path}', 'the part "{path}" is taken: {path} has a meaning of its own'],
  ['/{a}/{a}', 'two parts are called "{a}"'],
  ['/a?b=1', 'a path ends before "?" and "#": match the query with "query", or write "%3F" or "%23"'],
  ['/a\\b', 'a path has no backslashes: write "/", or "%5C" for the character itself'],
  ['/a%zz', '"%zz" encodes nothing: a percent sign itself is written "%25"'],
  ['/a%', '"%" encodes nothing: a percent sign itself is written "%25"'],
  ['/a%00', 'a path with encoded control characters is always refused, so that nothing could match it'],
]
for (const [written, message] of bad)
  test(`${JSON.stringify(written)} is refused with a hint`, () =>
    assert.throws(() => pathPattern(written), { message }))

test('a pattern is taken apart into segments and the places of its parts', () => {
  assert.deepEqual(pathShape('/a/{b}/c/{d}/*'), {
    kind: 'prefix',
    segments: ['a', null, 'c', null],
    parts: [
      { name: 'b', segment: 1 },
      { name: 'd', segment: 3 },
    ],
  })
  assert.deepEqual(pathShape('/'), { kind: 'exact', segments: [''], parts: [] })
})

test('a regular expression for paths must be able to match one', () => {
  for (const source of ['/a', '^/a', '.*\\.php', '(?i)/a', '[/]a', '\\*', '/a|/b'])
    assert.equal(pathRegex(source).source, source)
  assert.throws(() => pathRegex('^api/.*'), {
    message: '"^api/.*" must match the whole path, which begins with "/": write ".*api/.*", or "/" first',
  })
  assert.throws(() => pathRegex('\\.php$'), { message: /write "\.\*\\\\\.php\$", or "\/" first$/ })
  assert.throws(() => pathRegex('/(?<path>.*)'), {
    message: 'the group "path" is taken: {path} has a meaning of its own',
  })
  assert.throws(() => pathRegex('/('), { message: /is no regular expression/ })
})
