// How the command line puts what the admin API tells: figures, plans, requests, events, explanations.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Explanation, explanationText } from './commands/explain.ts'
import type { ChangeAnswer, Plan } from './config-documents.ts'
import { age, bytes, compact, milliseconds, percent } from './figures.ts'
import { originTable } from './origin-table.ts'
import { changeText, isEmpty, planSummary, planTable } from './plan-table.ts'
import { printable } from './printable.ts'
import { eventLine, requestLine } from './tail-lines.ts'

const plain = { paint: (_: unknown, text: string) => text }
const tagged = { paint: (colour: unknown, text: string) => `<${colour}>${text}</>` }

test('figures', () => {
  assert.deepEqual([0, 3.44, 9.99, 12, 9999, 12_345, 99_999, 4_100_000, 2e9].map(compact), [
    '0',
    '3.4',
    '10',
    '12',
    '9999',
    '12.3k',
    '100k',
    '4.1M',
    '2.0G',
  ])
  assert.deepEqual([0, 999, 1000, 1_449, 12_000_000, 3e12].map(bytes), [
    '0 B',
    '999 B',
    '1.0 KB',
    '1.4 KB',
    '12 MB',
    '3.0 TB',
  ])
  assert.deepEqual([0, 0.0004, 0.003, 0.12, 1].map(percent), ['0 %', '<0.1 %', '0.3 %', '12 %', '100 %'])
  assert.deepEqual([null, undefined, 0.04, 12.3, 9999, 12_345, 123_456].map(milliseconds), [
    '-',
    '-',
    '0.0 ms',
    '12 ms',
    '9999 ms',
    '12.3 s',
    '123 s',
  ])
  assert.deepEqual([-5, 4_000, 99_000, 240_000, 7_200_000, 259_200_000].map(age), [
    '0 s',
    '4 s',
    '99 s',
    '4 min',
    '2 h',
    '3 d',
  ])
})

test('figures are short, whatever they measure', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e11, noNaN: true }), (value) => {
      assert.ok(compact(value).length <= 5, compact(value))
      assert.ok(percent(value / 1e11).length <= 6, percent(value / 1e11))
      if (value < 9e7) assert.ok(milliseconds(value).length <= 7, milliseconds(value))
    }),
  )
})

const step = { kind: 'backend', pool: 'api', changes: [], connections: 0 } as const

test('a plan: signs in colour, each change on a line, conflicts and what needs a restart', () => {
  const plan: Plan = {
    steps: [
      { ...step, action: 'add', name: 'http://a' },
      { ...step, action: 'remove', name: 'http://b', connections: 3 },
      {
        kind: 'pool',
        action: 'change',
        name: 'api',
        connections: 0,
        changes: [
          { path: 'strategy', from: 'round-robin', to: 'first' },
          { path: 'queue.max', to: 5 },
          { path: 'tls.ca', from: 'x'.repeat(200), to: 'y' },
        ],
      },
    ],
    conflicts: [{ path: 'pools.api.strategy', wins: 'file', message: 'the file has changed too: it wins' }],
    touched_connections: 3,
    needs_restart: ['state_file'],
  }
  assert.equal(
    planTable(plan, plain),
    [
      '  +  backend  http://a (pool api)',
      '  -  backend  http://b (pool api)  3 live connections',
      '  ~  pool     api                  strategy round-robin → first',
      '                                   queue.max 5',
      '                                   tls.ca changes',
      '  ! pools.api.strategy: the file has changed too: it wins',
      '  ! state_file changes with a restart only',
      '',
    ].join('\n'),
  )
  assert.match(planTable(plan, tagged), /<green>\+<\/>[\s\S]*<red>-<\/>[\s\S]*<yellow>~<\/>/)
  assert.equal(planSummary(plan), '1 added, 1 changed, 1 removed; 3 live connections may finish')
})

test('a plan of very many steps is cut, and one without any says so', () => {
  const none = { conflicts: [], touched_connections: 0, needs_restart: [] }
  const steps = Array.from({ length: 250 }, (_, i) => ({ ...step, action: 'add' as const, name: `http://a:${i + 1}` }))
  const text = planTable({ ...none, steps }, plain)
  assert.equal(text.split('\n').length, 202)
  assert.match(text, /… and 50 more steps\n$/)
  const answer: ChangeAnswer = { revision: 1, dry_run: true, changes: [], plan: { ...none, steps: [] } }
  assert.deepEqual([isEmpty(answer), changeText(answer, plain)], [true, ''])
  assert.equal(planSummary(answer.plan), 'nothing changes; no live connection is touched')
  const refused = {
    ...answer,
    refused: [{ message: 'a.pem has expired', hint: 'renew it' }],
    warnings: ['verify is off'],
  }
  assert.equal(changeText(refused, plain), '  ! a.pem has expired; renew it\n  ! verify is off\n')
})

test('requests and connections as lines', () => {
  const entry = {
    time: '2026-01-02T03:04:05.678Z',
    client: '10.0.0.9',
    method: 'GET',
    host: 'example.com',
    target: '/api?x=\x1b[2J',
    status: 502,
    duration_ms: 12.3,
    route: 'api',
    pool: 'main',
    backend: 'http://a:1',
    attempts: 2,
    error: 'backend_reset',
    client_gone: true,
  }
  const line = requestLine(entry, plain.paint)
  assert.match(
    line,
    /^\d\d:\d\d:05\.678 {2}502 {4}12 ms {2}GET example\.com\/api\?x=\\x1b\[2J {2}api → main → http:\/\/a:1 {2}from 10\.0\.0\.9 {2}2 attempts {2}client gone {2}backend_reset$/,
  )
  const { method: _, target: __, host: ___, status: ____, ...tcp } = entry
  assert.match(
    requestLine({ ...tcp, bytes_received: 10, bytes_sent: 2000 }, plain.paint),
    /TCP {4}12 ms {2}in 10 B, out 2\.0 KB {2}/,
  )
  const answered = {
    time: 'soon',
    method: 'GET',
    target: '/old',
    status: 308,
    duration_ms: 0.1,
    route: 'old',
    pool: '',
  }
  assert.equal(requestLine(answered, plain.paint), 'soon  308   0.1 ms  GET /old  old')
})

test('events as lines', () => {
  const at = '2026-01-02T03:04:05.678Z'
  assert.match(
    eventLine({ type: 'backend_down', at, message: 'x is DOWN' }, tagged.paint),
    /<red>backend_down {4}<\/> {2}x is DOWN$/,
  )
  assert.match(eventLine({ type: 'news', at }, plain.paint), / news {14}\{\}$/)
})

test('origins', () => {
  const none = { at: null, by: null, revision: null }
  const text = originTable(
    [
      { path: 'workers', value: 2, origin: 'command_line', place: '--workers', ...none },
      {
        path: 'a',
        value: ['x'.repeat(80)],
        origin: 'api',
        place: null,
        at: '2026-01-02T03:04:05.678Z',
        by: 'me',
        revision: 7,
      },
    ],
    plain,
  )
  assert.match(
    text,
    /^ {2}workers +2 +command line +--workers\n {2}a +\["x{47}… +changed +by me, 2026-01-02 03:04:05Z, revision 7\n$/m,
  )
})

test('an explanation without a backend says what is answered and where to look', () => {
  const told: Explanation = {
    listener: 'web',
    route: null,
    considered: [
      { route: 'a', taken: false, why: 'is for path /a' },
      { route: 'b', taken: false, why: 'asks for GET' },
    ],
    steps: [],
    action: 'none',
    pool: null,
    strategy: null,
    target: null,
    sticky: null,
    backends: [],
    answer: { status: 404, why: 'no route takes it' },
    cache: null,
  }
  assert.equal(
    explanationText('GET /', told, plain),
    [
      'GET /',
      '',
      '  listener  web',
      '  route     none takes it',
      '  not       a              is for path /a',
      '            b              asks for GET',
      '',
      '  answers 404: no route takes it',
      '',
      '"frontdesk routes" lists the routes in the order in which they are tried',
      '',
    ].join('\n'),
  )
  const cache = {
    caches: true,
    key: 'http://a/x',
    would_hit: false,
    why: 'nothing is stored for this URL',
    entry: { age_seconds: 3, ttl_seconds: -2, status: 200, variant: 'accept-language: de' },
    to_make_it_cacheable: ['send max-age', 'set "ttl"'],
  }
  const rows = explanationText('GET /', { ...told, cache }, plain)
    .split('\n')
    .slice(6, 11)
  assert.deepEqual(rows, [
    '  cache     no hit         nothing is stored for this URL',
    '            key            http://a/x',
    '            entry          200, 3 s old, stale for 2 s, accept-language: de',
    '            to cache it    send max-age',
    '                           set "ttl"',
  ])
  const backend = {
    url: 'http://a',
    state: 'down',
    weight: 1,
    active: 0,
    score: null,
    would_take: false,
    why: 'is down',
  }
  assert.match(
    explanationText('GET /', { ...told, backends: [backend] }, plain),
    /no backend would take it: "frontdesk status"/,
  )
})

test('control characters never reach a terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(printable(text), /[\x00-\x1f\x7f-\x9f]/)
    }),
  )
  assert.equal(printable('a\x1b[31m\nb\x9b'), 'a\\x1b[31m\\x0ab\\x9b')
})
