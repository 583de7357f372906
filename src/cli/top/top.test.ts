import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { BackendFigures, StatsDocument } from '../stream-documents.ts'
import { type Key, KeyDecoder } from './key-decoder.ts'
import { keyOf, TopData } from './top-data.ts'
import { drawTop, type Link } from './top-screen.ts'
import { sortOrders, TopView } from './top-view.ts'

const plain = (_: unknown, text: string): string => text

function backend(url: string, more: Partial<BackendFigures> = {}): BackendFigures {
  return {
    pool: 'default',
    url,
    state: 'up',
    alive: true,
    weight: 1,
    current_connections: 0,
    requests: 0,
    rate: 0,
    errors: 0,
    error_rate: 0,
    latency_ms: { p50: null, p99: null },
    last_check: null,
    ...more,
  }
}

function stats(backends: readonly BackendFigures[], more: Partial<StatsDocument> = {}): StatsDocument {
  return {
    at: new Date(0).toISOString(),
    revision: 7,
    uptime_seconds: 61,
    requests: { rate: 1234, active: 5, error_rate: 0.002 },
    latency_ms: { p50: 1.2, p99: 12.3 },
    connections: { active: 34 },
    bytes: { received_rate: 1_200_000, sent_rate: 3.4e9 },
    cache: null,
    workers: [
      { id: 0, state: 'running', utilization: 0.12 },
      { id: 1, state: 'draining', utilization: 0 },
    ],
    full: true,
    backends,
    removed: [],
    ...more,
  }
}

function dataOf(backends: readonly BackendFigures[]): TopData {
  const data = new TopData()
  data.hello({ instance: 'x', version: '9.9.9', revision: 7 })
  data.stats(stats(backends))
  return data
}

interface Drawing {
  readonly data: TopData
  readonly view?: TopView
  readonly link?: Link
  readonly width?: number
  readonly height?: number
}

function draw({ data, view = new TopView(), link = { kind: 'live' }, width = 120, height = 24 }: Drawing): string[] {
  const input = { data: data.snapshot(), view, link, width, height }
  return drawTop({ ...input, place: 'http://127.0.0.1:8081', nowMs: 60_000, paint: plain })
}

const press = (view: TopView, data: TopData, keys: string) =>
  [...keys].map((text) => {
    const key: Key =
      text === '\r' ? { name: 'enter' } : text === '\x1b' ? { name: 'escape' } : { name: 'character', text }
    return view.press(key, data.snapshot())
  })

const urls = (view: TopView, data: TopData): string[] => view.rows(data.snapshot()).map(({ url }) => url)

test('keys: letters, arrows of both kinds, an escape that is a key, what is unknown is skipped', () => {
  const decoder = new KeyDecoder()
  const names = (text: string): string[] => decoder.push(Buffer.from(text)).map(({ name, text: t }) => t ?? name)
  assert.deepEqual(names('q\x1b[A\x1bOB\x1b[5~\x1b[1;5C\x03\r\x7fä'), [
    'q',
    'up',
    'down',
    'page-up',
    'interrupt',
    'enter',
    'backspace',
    'ä',
  ])
  assert.deepEqual([names('\x1b'), decoder.isWaiting], [[], true])
  assert.deepEqual([names('[B'), decoder.isWaiting], [['down'], false])
  assert.deepEqual([names('\x1b'), decoder.flush(), decoder.flush()], [[], [{ name: 'escape' }], []])
})

test('keys are the same however they arrive', () => {
  const part = fc.constantFrom('a', 'ö', '\x1b[A', '\x1b[6~', '\x1bOH', '\x1b[200~', '\x03', '\n', '🙂')
  fc.assert(
    fc.property(fc.array(part), fc.array(fc.nat(60)), (parts, cuts) => {
      const all = Buffer.from(parts.join(''))
      const places = [0, ...cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b), all.length]
      const decoder = new KeyDecoder()
      const keys = places.slice(1).flatMap((to, i) => decoder.push(all.subarray(places[i], to)))
      assert.deepEqual(keys, new KeyDecoder().push(all))
    }),
  )
})

test('figures: only what has changed comes; what is removed goes; new ones stand with their pool', () => {
  const data = dataOf([backend('http://a'), backend('http://b'), backend('http://z', { pool: 'other' })])
  data.stats(
    stats([backend('http://b', { rate: 5 }), backend('http://c')], {
      full: false,
      removed: [{ pool: 'default', url: 'http://a' }],
    }),
  )
  const { backends, version } = data.snapshot()
  assert.deepEqual(
    backends.map(({ url, rate }) => [url, rate]),
    [
      ['http://b', 5],
      ['http://c', 0],
      ['http://z', 0],
    ],
  )
  assert.equal(version, '9.9.9')
  data.stats(stats([backend('http://new')]))
  assert.deepEqual(
    data.snapshot().backends.map(({ url }) => url),
    ['http://new'],
  )
})

test('the cache is told of where there is one', () => {
  const data = dataOf([backend('http://a')])
  assert.doesNotMatch(draw({ data })[2]!, /cache/)
  data.stats(stats([backend('http://a')], { cache: { ratio: 0.934, bytes: 1_048_576 } }))
  assert.match(draw({ data })[2]!, / cache 93\S* % hits, 1\S* M/)
  data.stats(stats([backend('http://a')], { cache: { ratio: null, bytes: 0 } }))
  assert.match(draw({ data })[2]!, / cache 0 B/)
})

test('no line is wider than the screen, at any size, in any state; the screen is always full', () => {
  const long = backend(`http://${'very-long-name.'.repeat(8)}example.com:3000/base`, {
    pool: 'a-pool-with-a-name-beyond-all-measure',
    rate: 123_456_789,
    error_rate: 1,
    latency_ms: { p50: 12_345, p99: 123_456 },
    last_check: { at: new Date(0).toISOString(), ok: false, reason: `bad \x1b[31m ${'reason '.repeat(40)}` },
  })
  const data = dataOf([backend('http://10.0.0.1:3000', { pool: 'p' }), long])
  const links: Link[] = [{ kind: 'live' }, { kind: 'lost', reason: `x${'y'.repeat(300)}`, sinceMs: 0 }]
  const keys = fc.constantFrom('', '?', 'd', 'w12345', '/abc', 'ss', 'p', '/nothing here')
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 240 }),
      fc.integer({ min: 8, max: 60 }),
      keys,
      fc.nat(1),
      (w, h, typed, at) => {
        const view = new TopView()
        press(view, data, typed)
        const lines = draw({ data, view, link: links[at]!, width: w, height: h })
        assert.equal(lines.length, h)
        for (const line of lines) {
          assert.ok(line.length <= w, `${line.length} > ${w}: ${line}`)
          assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f]/)
        }
      },
    ),
    { numRuns: 500 },
  )
})

test('38 columns show backend, state and rate; 200 show everything', () => {
  const data = dataOf([backend('http://10.0.0.1:3000', { rate: 12 }), backend('http://10.0.0.2:3000', { pool: 'x' })])
  const narrow = draw({ data, width: 38, height: 10 }).join('\n')
  assert.match(narrow, /BACKEND +STATE +REQ\/S$/m)
  assert.match(narrow, /^> 10\.0\.0\.1:3000 +up +12$/m)
  const wide = draw({ data, width: 200, height: 10 }).join('\n')
  assert.match(wide, /POOL +BACKEND +STATE +WEIGHT +OPEN +REQ\/S +ERR +P50 +P99 +LAST CHECK/)
  assert.match(wide, /1234 req\/s {3}0\.2 % errors {3}p50 1\.2 ms {3}p99 12 ms {3}5 active/)
  assert.match(wide, /34 connections {3}in 1\.2 MB\/s {3}out 3\.4 GB\/s {3}2 workers busy 12 %, draining/)
})

test('of a thousand backends only the visible rows are drawn, and the page follows the selection', () => {
  const data = dataOf(Array.from({ length: 1000 }, (_, i) => backend(`http://10.0.0.1:${i + 1}`)))
  const view = new TopView()
  const first = draw({ data, view, height: 20 })
  assert.equal(first.filter((line) => line.includes('http://10.0.0.1:')).length, 13)
  view.press({ name: 'end' }, data.snapshot())
  const last = draw({ data, view, height: 20 })
  assert.ok(last.some((line) => line.startsWith('> http://10.0.0.1:1000 ')))
  assert.equal(last.length, 20)
  view.press({ name: 'page-up' }, data.snapshot())
  assert.ok(draw({ data, view, height: 20 }).some((line) => line.startsWith('> http://10.0.0.1:987 ')))
})

test('the selection stays with its backend when the order changes', () => {
  const data = dataOf([backend('http://a'), backend('http://b', { rate: 9 })])
  const view = new TopView()
  press(view, data, 'jk')
  assert.equal(view.selected, keyOf({ pool: 'default', url: 'http://a' }))
  press(view, data, 'ss')
  assert.deepEqual([view.sort, urls(view, data)], ['req/s', ['http://b', 'http://a']])
  assert.ok(draw({ data, view }).some((line) => line.startsWith('> http://a ')))
})

test('every order is a key away, and the first comes again after the last', () => {
  const view = new TopView()
  const data = dataOf([])
  assert.deepEqual(
    sortOrders.map(() => {
      const { sort } = view
      press(view, data, 's')
      return sort
    }),
    [...sortOrders],
  )
  assert.equal(view.sort, 'configured')
})

test('the filter narrows while one types; Enter keeps it, Escape takes it back, then away', () => {
  const data = dataOf([backend('http://a'), backend('http://b', { state: 'down', pool: 'api' })])
  const view = new TopView()
  press(view, data, '/API d')
  assert.deepEqual(urls(view, data), ['http://b'])
  press(view, data, '\x1b')
  assert.equal(urls(view, data).length, 2)
  press(view, data, '/down\r')
  assert.deepEqual([view.prompt, urls(view, data)], [null, ['http://b']])
  press(view, data, '\x1b')
  assert.equal(urls(view, data).length, 2)
})

test('drain asks first, and anything but y is no', () => {
  const data = dataOf([backend('http://a'), backend('http://b')])
  const view = new TopView()
  assert.deepEqual(press(view, data, 'dn'), [null, null])
  const [, answer] = press(view, data, 'dy')
  assert.deepEqual(answer, { kind: 'drain', backend: backend('http://a') })
  assert.deepEqual(press(view, data, 'd\r'), [null, null])
  // While it asks, q is an answer.
  assert.deepEqual(press(view, data, 'dq'), [null, null])
  assert.deepEqual(press(view, data, 'q'), [{ kind: 'quit' }])
})

test('a weight is asked for and checked', () => {
  const data = dataOf([backend('http://a')])
  const view = new TopView()
  assert.deepEqual(press(view, data, 'w12\r').at(-1), { kind: 'weight', backend: backend('http://a'), weight: 12 })
  for (const bad of ['0', '65536', '-1', '1e3', 'x']) {
    assert.equal(press(view, data, `w${bad}\r`).at(-1), null)
    assert.match(view.message?.text ?? '', /a weight is a number from 1 to 65535/, bad)
  }
  press(view, data, 'w\r')
  assert.equal(view.message, null)
})

test('read only: nothing is asked, and the way out is said', () => {
  const data = dataOf([backend('http://a')])
  const view = new TopView()
  view.isReadOnly = true
  for (const key of 'dew') {
    assert.deepEqual(press(view, data, key), [null])
    assert.match(view.message?.text ?? '', /read only.*--token/)
    assert.equal(view.prompt, null)
  }
  assert.match(draw({ data, view })[0]!, /read only/)
})

test('what is paused stays as it was, also when one looks through it', () => {
  const data = dataOf([backend('http://a', { rate: 1 })])
  const view = new TopView()
  press(view, data, 'p')
  data.stats(stats([backend('http://a', { rate: 99 }), backend('http://b')]))
  assert.match(draw({ data, view }).join('\n'), /PAUSED.* 1 +0 %/s)
  press(view, data, 'p')
  assert.match(draw({ data, view }).join('\n'), / 99 +0 %/)
})

test('a lost stream is said with its reason and age, above any message', () => {
  const data = dataOf([backend('http://a')])
  const view = new TopView()
  view.message = { text: 'http://a is draining', isBad: false }
  const link: Link = { kind: 'lost', reason: 'connection refused', sinceMs: 57_000 }
  const text = draw({ data, view, link }).join('\n')
  assert.match(text, /stream lost 3 s ago \(connection refused\); figures are old; trying again/)
  assert.doesNotMatch(text, /is draining/)
})
