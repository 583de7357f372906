// Lines of the access log: the same members however they are made, and nothing that a client sends leaves its place.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { accessLogSpec } from '../../../test/support/log-specs.ts'
import { type AccessEntry, type TcpEntry, unreadEntry } from '../access-entry.ts'
import { lineBuilder } from '../access-log.ts'
import { LineChoice } from './choice.ts'
import { accessJson, JsonLines, jsonFields } from './json-line.ts'
import { findLogVariable, logFamilies, logVariableProblem, logVariables } from './log-variables.ts'
import { LineTime, milliseconds } from './numbers.ts'
import { defaultRedaction } from './redaction.ts'

const AT = Date.UTC(2026, 10, 21, 15, 20, 5, 7)
const time = new LineTime()
time.set(AT)

const anything = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) })
const us = fc.integer({ min: 0, max: 1e10 })
const entries: fc.Arbitrary<AccessEntry> = fc.record({
  listener: anything,
  client: anything,
  tls: fc.constantFrom('', 'TLSv1.3'),
  clientCertificate: fc.constantFrom('', 'AB:CD'),
  serverName: anything,
  method: anything,
  target: anything,
  minor: fc.constantFrom(0, 1),
  host: anything,
  status: fc.integer({ min: 0, max: 599 }),
  received: fc.nat(),
  sent: fc.nat(),
  durationUs: us,
  queueUs: fc.oneof(fc.constant(-1), us),
  connectUs: fc.oneof(fc.constant(-1), us),
  firstByteUs: us,
  route: anything,
  pool: anything,
  backend: anything,
  attempts: fc.nat(9),
  failures: fc.option(fc.array(fc.record({ backend: anything, error: anything, code: anything }), { maxLength: 3 })),
  error: fc.constantFrom('', 'client_gone', 'connect_refused'),
  requestId: anything,
  cache: fc.constantFrom('', 'hit', 'miss'),
  traceId: fc.constantFrom('', '4bf92f3577b34da6a3ce929d0e0e4736'),
  userAgent: anything,
  referer: anything,
  headers: anything.map((value) => `X-Evil: ${value.replace(/[\r\n\0]/g, '')}\r\n`),
})
const tcpEntry: TcpEntry = {
  listener: 'pg',
  client: '192.0.2.1',
  tls: '',
  clientCertificate: '',
  serverName: 'db.example.com',
  status: 200,
  received: 5,
  sent: 12,
  durationUs: 1500,
  connectUs: 250,
  pool: 'postgres',
  backend: 'tcp://10.0.0.5:5432',
  attempts: 1,
  failures: null,
  error: '',
}
const entry: AccessEntry = {
  ...unreadEntry,
  listener: 'web',
  client: '192.0.2.1',
  method: 'GET',
  target: '/a?token=abc&x=1',
  host: 'example.com',
  status: 200,
  sent: 12,
  durationUs: 12_345,
  queueUs: 21,
  firstByteUs: 11_000,
  route: 'api',
  pool: 'api',
  backend: 'http://10.0.0.1:3000',
  attempts: 1,
  requestId: 'id',
  userAgent: 'test/1',
  headers: 'User-Agent: test/1\r\nX-Tenant: blue\r\nAuthorization: Bearer x\r\nCookie: a=1; sid=secret\r\n',
}
const template = (text: string) =>
  lineBuilder(
    accessLogSpec({
      format: 'template',
      template: text
        .split(/(\{[^}]+\})/)
        .filter((part) => part !== '')
        .map((part) => (part.startsWith('{') ? { name: part.slice(1, -1) } : part)),
    }),
  )

test('a line of all members is the same, made whole or member by member', () => {
  const byMember = new JsonLines(jsonFields, defaultRedaction)
  const whole = new JsonLines(null, defaultRedaction)
  fc.assert(
    fc.property(entries, (one) => {
      assert.equal(whole.http(one, time), byMember.http(one, time))
    }),
  )
  assert.equal(whole.tcp(tcpEntry, time), byMember.tcp(tcpEntry, time))
})

test('json: every entry is one line, that any parser reads, with its values', () => {
  fc.assert(
    fc.property(entries, (one) => {
      const line = accessJson(one, AT)
      assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f\u2028\u2029]/)
      const read = JSON.parse(line) as Record<string, unknown>
      assert.equal(read.time, '2026-11-21T15:20:05.007Z')
      assert.deepEqual([read.host, read.user_agent, read.request_id], [one.host, one.userAgent, one.requestId])
      assert.equal(read.duration_ms, one.durationUs / 1000)
      assert.equal(read.queue_ms, one.queueUs < 0 ? null : one.queueUs / 1000)
      assert.equal(read.client_gone, one.error === 'client_gone' ? true : undefined)
    }),
  )
})

test('combined and template: printable ASCII only, and no quote that was not written', () => {
  const all = [...logVariables.map(({ name }) => name), 'header.x-evil', 'query.a', 'cookie.b']
  const own = template(all.map((name) => `"{${name}}"`).join(' '))
  const combined = lineBuilder(accessLogSpec({ format: 'combined' }))
  fc.assert(
    fc.property(entries, (one) => {
      const line = own.http(one, time)
      assert.match(line, /^[\x20-\x7e]*$/)
      assert.equal(line.split('"').length, all.length * 2 + 1)
      // The address is ours, not the client's: whoever embeds the proxy gives it.
      const other = combined.http({ ...one, client: '192.0.2.1' }, time)
      assert.match(other, /^192\.0\.2\.1 - - \[[^\]]*\] "[^"]*" \d+ \d+ "[^"]*" "[^"]*"$/)
      assert.match(other, /^[\x20-\x7e]*$/)
    }),
  )
})

test('template: what each variable says', () => {
  const line = (text: string): string => template(text).http(entry, time)
  assert.equal(
    line('{client.ip} {request.method} {request.uri} {status} {bytes_sent} {duration_ms}ms'),
    '192.0.2.1 GET /a?token=***&x=1 200 12 12.345ms',
  )
  assert.equal(line('{request.path}|{request.query}|{query.x}|{query.token}'), '/a|?token=***&x=1|1|***')
  assert.equal(line('{header.x-tenant} {header.authorization} {cookie.sid} {header.nothing}'), 'blue *** *** -')
  assert.equal(line('{queue_ms} {connect_ms} {first_byte_ms}'), '0.021 - 11.000')
  assert.equal(
    line('{time} {time.clf} {time.unix}'),
    '2026-11-21T15:20:05.007Z 21/Nov/2026:15:20:05 +0000 1795274405.007',
  )
  assert.equal(
    template('{request.protocol} {listener} {pool} {request.method} {connect_ms}').tcp(tcpEntry, time),
    'TCP pg postgres - 0.250',
  )
})

test('template: where the client comes from is shown without its secrets', () => {
  const entry = { ...unreadEntry, referer: 'https://a/?token=1&x=2', headers: 'Referer: https://a/?token=1&x=2\r\n' }
  assert.equal(template('{header.Referer}').http(entry, time), 'https://a/?token=***&x=2')
  assert.equal(template('{header.referer}').http(unreadEntry, time), '-')
})

test('json: members that are chosen stand in their usual order', () => {
  const lines = new JsonLines(['status', 'client', 'server_name'], defaultRedaction)
  assert.equal(lines.http(entry, time), '{"time":"2026-11-21T15:20:05.007Z","client":"192.0.2.1","status":200}')
  assert.equal(
    lines.tcp(tcpEntry, time),
    '{"time":"2026-11-21T15:20:05.007Z","client":"192.0.2.1","server_name":"db.example.com"}',
  )
})

test('what the cache made of a request is told only where there is something to tell', () => {
  assert.doesNotMatch(accessJson(entry), /cache/)
  assert.match(accessJson({ ...entry, cache: 'revalidated' }), /,"cache":"revalidated",/)
  assert.equal(template('{cache}').http(entry, time), '-')
  assert.equal(template('{cache}').http({ ...entry, cache: 'hit' }, time), 'hit')
  assert.equal(template('{cache}').tcp(tcpEntry, time), '-')
  assert.match(logVariableProblem('upstream_cache_status')!.hint, /\{cache\}/)
})

test('names that are not known are told with a guess', () => {
  assert.match(logVariableProblem('duraton_ms')!.hint, /\{duration_ms\}/)
  assert.match(logVariableProblem('remote_addr')!.hint, /\{client\.ip\}/)
  assert.match(logVariableProblem('headers.x-a')!.hint, /\{header\.x-a\}/)
  assert.match(logVariableProblem('header')!.message, /needs a name/)
  for (const { name } of logVariables) assert.equal(logVariableProblem(name), null, name)
  for (const { name } of logFamilies) assert.notEqual(findLogVariable(`${name}.x`), undefined, name)
})

test('milliseconds are exact to the microsecond', () => {
  fc.assert(fc.property(us, (value) => assert.equal(milliseconds(value), (value / 1000).toFixed(3))))
})

test('a sample keeps its share, chooses the same for the same id, and whatever failed', () => {
  const tenth = new LineChoice({ sample: 0.1, keepErrors: true, skip: [] })
  const other = new LineChoice({ sample: 0.1, keepErrors: true, skip: [] })
  let taken = 0
  for (let i = 0; i < 20_000; i++) {
    const id = `6f1f2a7bd9c04e11${i.toString(16).padStart(12, '0')}`
    const takes = tenth.takes(id, '/', 200, '')
    assert.equal(other.takes(id, '/', 200, ''), takes)
    assert.ok(tenth.takes(id, '/', 500, '') && tenth.takes(id, '/', 200, 'reset_in_answer'))
    if (takes) taken++
  }
  assert.ok(taken > 1800 && taken < 2200, `${taken} of 20000`)
  const nameless = Array.from({ length: 20_000 }, () => tenth.takes('', '', 200, '')).filter((one) => one).length
  assert.ok(nameless > 1800 && nameless < 2200, `${nameless} of 20000 without an id`)
  const none = new LineChoice({ sample: 0, keepErrors: false, skip: [] })
  assert.ok(!none.takes('a', '/', 500, 'internal'))
})

test('paths that are skipped: exact ones, and prefixes at a segment’s end', () => {
  const choice = new LineChoice({ sample: 1, keepErrors: true, skip: ['/healthz', '/assets/*'] })
  const takes = (target: string, status = 200): boolean => choice.takes('id', target, status, '')
  for (const target of ['/healthz', '/healthz?x', '/assets', '/assets/', '/assets/a.css?v=1']) {
    assert.ok(!takes(target), target)
    assert.ok(takes(target, 503), target)
  }
  for (const target of ['/', '/healthz/', '/healthzz', '/assetsx', '/a?/assets/']) assert.ok(takes(target), target)
})
