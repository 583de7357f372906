import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { validConfigs } from '../../../test/support/valid-configs.ts'
import { ConfigError, type LoadedConfig, loadConfig } from '../load.ts'
import { differencesBetween } from './differences.ts'
import { saveChanges } from './save-changes.ts'
import type { Difference, DocumentChange, Json } from './types.ts'

const env = { HOST: 'backend.example', PORT: '8000', STRATEGY: 'random' }
const stamped = (differences: readonly Difference[]): DocumentChange[] =>
  differences.map((one) => ({ ...one, at: '2026-01-01T00:00:00.000Z', by: 'admin API (127.0.0.1)', revision: 2 }))
const load = (path: string, text: string, changes: readonly DocumentChange[] = []): LoadedConfig =>
  loadConfig({ path, text, env, changes })

/** Saves what leads to `to`, and says what the file means then, and what is left of the changes. */
function savedText(path: string, text: string, differences: readonly Difference[]): string {
  const changes = stamped(differences)
  const wanted = load(path, text, changes)
  const saved = saveChanges({ path, text, changes, env }).text
  const again = load(path, saved, changes)
  assert.deepEqual(inAnyOrder(again), inAnyOrder(wanted))
  assert.deepEqual([again.kept, again.conflicts], [[], []])
  return saved
}

/** In which order pools and listeners stand means nothing. */
const inAnyOrder = ({ config: { listeners, ...rest } }: LoadedConfig): object => ({
  ...rest,
  listeners: Object.fromEntries(listeners.map((one) => [one.name, one])),
})

/** A comment on every line, and trailing commas wherever one may be. */
function commented(value: Json): string {
  const text = JSON.stringify(value, null, 2)
  return text.replace(/([^{[,\s])(?=\n\s*[}\]])/g, '$1,').replace(/$/gm, ' // a comment')
}

const texts: readonly (readonly [path: string, of: (value: Json) => string])[] = [
  ['config.json', (value) => JSON.stringify(value)],
  ['config.json', (value) => JSON.stringify(value, null, 2)],
  ['config.json', (value) => JSON.stringify(value, null, '\t').replaceAll('\n', '\r\n')],
  ['config.json', commented],
  ['config.yaml', (value) => stringify(value)],
  ['config.yaml', (value) => stringify(value, { collectionStyle: 'flow' })],
]

/** As a file has it: what only looks like a variable is escaped. */
const inFile = (value: Json): Json => JSON.parse(JSON.stringify(value).replaceAll('${', () => '$${')) as Json

for (const [path, textOf] of texts) {
  test(`what is saved means the same as the file with the changes (${textOf({ a: ['b'] }).replace(/\s+/g, ' ')})`, () => {
    fc.assert(
      fc.property(validConfigs, validConfigs, (one, other) => {
        const text = textOf(inFile(one))
        const to = loadConfig({ path, value: other as object, env })
        savedText(path, text, differencesBetween(load(path, text).documents.file, to.documents.file))
      }),
      { numRuns: 40 },
    )
  })
}

const pool = (...rest: string[]): string[] => ['pools', 'default', ...rest]

test('comments, trailing commas, variables and flat keys stay', () => {
  const text = `// What it is for.
{
  "port": "\${PORT}", // where it listens
  "strategy": "random",
  /* the servers */
  "backends": [
    "http://\${HOST}:1", // the first
    { "url": "http://b", "weight": 2 },
  ],
  "limits": { "header_size": "16KB", },
}
`
  const saved = savedText('config.json', text, [
    { path: pool('strategy'), base: 'random', value: 'least-conn' },
    { path: pool('backends', 'http://b', 'weight'), base: 2, value: 7 },
    { path: pool('backends', 'http://c'), value: { url: 'http://c', backup: true }, after: 'http://b' },
    { path: pool('health_check', 'interval'), value: '5s' },
    { path: pool('timeouts', 'connect'), value: '1s' },
    { path: ['limits', 'max_connections'], value: 100 },
  ])
  assert.equal(
    saved,
    `// What it is for.
{
  "port": "\${PORT}", // where it listens
  "strategy": "least-conn",
  /* the servers */
  "backends": [
    "http://\${HOST}:1", // the first
    { "url": "http://b", "weight": 7 },
    { "url": "http://c", "backup": true },
  ],
  "limits": { "header_size": "16KB", "max_connections": 100, },
  "pools": {
    "default": {
      "timeouts": {
        "connect": "1s"
      }
    }
  },
  "health_check_frequency": "5s",
}
`,
  )
})

test('what goes takes its line with it, and the comment on it', () => {
  const text = `{
  "backends": [
    "http://a", // the first
    "http://b", // the second
    "http://c" /* the third */
  ],
  "strategy": "first" // chosen
}
`
  const gone = (url: string): Difference => ({ path: pool('backends', url), base: url })
  const saved = savedText('config.json', text, [
    gone('http://b'),
    gone('http://c'),
    { path: pool('strategy'), base: 'first' },
  ])
  assert.equal(
    saved,
    `{
  "backends": [
    "http://a" // the first
  ]
}
`,
  )
})

test('a backend that was a URL becomes an object with the same URL, variable and all', () => {
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: variables of a file
  const text = '{ "backends": ["http://${HOST}:1", "http://b"] }'
  const saved = savedText('config.json', text, [
    { path: pool('backends', 'http://backend.example:1', 'weight'), value: 3 },
    { path: pool('backends', 'http://b'), base: 'http://b', after: 'http://backend.example:1' },
  ])
  assert.equal(saved, '{ "backends": [{ "url": "http://${HOST}:1", "weight": 3 }] }')
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: variables of a file
})

test('YAML keeps comments, quotes and variables', () => {
  const text = `# What it is for.
port: 9000 # where it listens

strategy: "\${STRATEGY}"
backends:
  - http://a # the first
  - url: 'http://b'
    weight: 2
admin: { token: "a token of 16 or more" }
`
  const saved = savedText('config.yaml', text, [
    { path: pool('backends', 'http://b', 'weight'), base: 2, value: 7 },
    { path: pool('backends', 'http://c'), value: 'http://c', after: 'http://b' },
    { path: ['listeners', 'default', 'listen'], base: ':9000', value: ':9001' },
  ])
  assert.equal(
    saved,
    `# What it is for.
port: 9001 # where it listens

strategy: "\${STRATEGY}"
backends:
  - http://a # the first
  - url: 'http://b'
    weight: 7
  - http://c
admin: { token: "a token of 16 or more" }
`,
  )
})

test('YAML keeps what stands beside a value that takes several lines from now on', () => {
  const text =
    'backends:\n  # first\n  - http://a # one\n  - {url: http://b, weight: 2} # two\ntrusted_proxies: # nobody\n  - 10.0.0.1 # ten\nworkers: 2 # two of them\n'
  const saved = savedText('config.yaml', text, [
    { path: pool('backends', 'http://a', 'weight'), value: 3 },
    { path: pool('backends', 'http://b', 'weight'), value: 4, base: 2 },
    { path: ['workers'], value: 'auto', base: 2 },
  ])
  for (const comment of ['# first', '# one', '# two\n', '# nobody', '# ten', '# two of them'])
    assert.ok(saved.includes(comment), saved)
})

test('flat keys that cannot say it any more are written out', () => {
  const text = '{ "backends": ["http://a"], "tls": { "cert": "a.pem", "key": "a.key", "redirect_http": true } }'
  const moved = savedText('config.json', text, [
    { path: ['listeners', 'default-tls', 'listen'], base: ':8443', value: ':9443' },
    { path: ['listeners', 'default', 'redirect_https'], base: 8443, value: 9443 },
  ])
  assert.match(moved, /"tls": \{ "cert": "a\.pem", "key": "a\.key", "redirect_http": true, "port": 9443 \}/)
  const more = savedText('config.json', text, [
    { path: ['listeners', 'default-tls', 'tls', 'session_tickets'], value: false },
    { path: ['listeners', 'default', 'listen'], base: ':8080', value: '127.0.0.1:8080' },
    { path: ['admin', 'listen'], base: '127.0.0.1:8081', value: '[::1]:8081' },
  ])
  assert.deepEqual(Object.keys(JSON.parse(more)), ['backends', 'listeners', 'admin', 'port'])
})

test('a listener that is added does not close the one that went without saying', () => {
  const saved = savedText('config.json', '{ "backends": ["http://a"] }', [
    { path: ['listeners', 'more'], value: { name: 'more', listen: ':9999' }, after: 'default' },
  ])
  assert.deepEqual(JSON.parse(saved).port, 8080)
})

function refusal(path: string, text: string, differences: readonly Difference[]): string {
  try {
    saveChanges({ path, text, changes: stamped(differences), env })
  } catch (error) {
    if (error instanceof ConfigError) return error.format()
    throw error
  }
  return 'nothing was refused'
}

test('what cannot be saved is told', () => {
  const last: Difference = { path: pool('backends', 'http://a'), base: 'http://a' }
  assert.match(
    refusal('config.json', '{ "backends": ["http://a"] }', [last]),
    /pools\.default: cannot be saved: it has no/,
  )
  const strategy: Difference = { path: pool('strategy'), value: 'first' }
  assert.match(refusal('frontdesk.config.ts', 'export default {}', [strategy]), /is a program, which changes cannot/)
  assert.match(refusal('config.json', '{ "backends": [', [strategy]), /broken JSON/)
  const gone: Difference = { path: pool('backends', 'http://gone', 'weight'), value: 2 }
  assert.match(
    refusal('config.json', '{ "backends": ["http://a"] }', [gone]),
    /gone\]\.weight: cannot be saved: the file/,
  )
  const alias = 'backends: &list [{url: "http://a"}]\npools: {api: {backends: *list}}\n'
  const change: Difference = { path: ['pools', 'api', 'backends', 'http://a', 'weight'], value: 2 }
  assert.match(refusal('config.yaml', alias, [change]), /stands behind an alias/)
  const anchored: Difference = { path: pool('backends', 'http://a', 'weight'), value: 2 }
  assert.match(refusal('config.yaml', alias, [anchored]), /cannot be saved in the form that this file is written in/)
})

test('thousands of changes in a large file take seconds, and cost the comments of that part only', () => {
  const routes = Array.from({ length: 5000 }, (_, i) => ({
    name: `r${i}`,
    match: { path: `/p${i}/*` },
    pool: 'default',
  }))
  const document = { backends: ['http://a'], routes, limits: { header_count: 50 } }
  const text = commented(document)
  const of = (other: object): Difference[] =>
    differencesBetween(
      load('c.json', text).documents.file,
      load('c.json', JSON.stringify({ ...document, ...other })).documents.file,
    )
  const started = performance.now()
  const anew = savedText(
    'c.json',
    text,
    of({ routes: routes.map((one) => ({ ...one, respond: { status: 200 }, pool: undefined })) }),
  )
  assert.match(anew, /"header_count": 50,? \/\/ a comment/)
  const few = savedText('c.json', text, of({ routes: routes.toSpliced(17, 3) }))
  assert.equal(few.split('// a comment').length, text.split('// a comment').length - 3 * 7)
  assert.ok(performance.now() - started < 20_000)
})
