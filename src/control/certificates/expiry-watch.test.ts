import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { MemoryLog } from '../../../test/support/control-kit.ts'
import { type Expiring, ExpiryWatch, warnDays } from './expiry-watch.ts'

const DAY = 86_400_000
const begin = Date.UTC(2030, 0, 1)

function bed(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: begin })
  const log = new MemoryLog()
  const watch = new ExpiryWatch({ log })
  t.after(() => watch.close())
  const pass = (days: number): void => {
    for (let hours = 0; hours < days * 24; hours++) t.mock.timers.tick(DAY / 24)
  }
  const told = (): string[] =>
    log.events.splice(0).map(({ level, name, fields }) => `${level} ${name} ${fields.name} ${fields.days_left}`)
  return { log, watch, pass, told }
}

const certificate = (days: number, over: Partial<Expiring> = {}): Expiring => ({
  name: 'a.pem',
  what: 'certificate',
  endsAtMs: begin + days * DAY,
  about: 'a.example',
  warnDays,
  ...over,
})

test('warns 30, 7 and 1 days before the end, once each, and says when it has come', (t) => {
  const { watch, pass, told } = bed(t)
  watch.watch([certificate(100)])
  pass(69)
  assert.deepEqual(told(), [])
  pass(1)
  assert.deepEqual(told(), ['warn certificate_expires a.pem 30'])
  pass(22)
  assert.deepEqual(told(), [])
  pass(1)
  assert.deepEqual(told(), ['warn certificate_expires a.pem 7'])
  pass(6)
  assert.deepEqual(told(), ['warn certificate_expires a.pem 1'])
  pass(1)
  assert.deepEqual(told(), ['error certificate_expired a.pem 0'])
  pass(60)
  assert.deepEqual(told(), [])
})

test('tells at once what is near already, and only the nearest', (t) => {
  const { log, watch, told } = bed(t)
  watch.watch([certificate(5), certificate(-3, { name: 'b.pem' }), certificate(0.2, { name: 'c.pem', about: '' })])
  assert.deepEqual(
    log.events.map(({ message }) => message),
    [
      'the certificate a.pem (a.example) expires in 5 days, at 2030-01-06T00:00:00.000Z',
      'the certificate b.pem (a.example) expired at 2029-12-29T00:00:00.000Z; put a new one in its place',
      'the certificate c.pem expires in 5 hours, at 2030-01-01T04:48:00.000Z',
    ],
  )
  told()
  watch.watch([certificate(5)])
  assert.deepEqual(told(), [])
})

test('a new certificate is told of anew, and the old one no more', (t) => {
  const { watch, pass, told } = bed(t)
  watch.watch([certificate(20)])
  assert.equal(told().length, 1)
  watch.watch([certificate(90)])
  pass(30)
  assert.deepEqual(told(), [])
  pass(30)
  assert.deepEqual(told(), ['warn certificate_expires a.pem 30'])
})

test('a clock that is set forward is seen within the hour', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const log = new MemoryLog()
  let now = begin
  const watch = new ExpiryWatch({ log, now: () => now })
  t.after(() => watch.close())
  watch.watch([certificate(365)])
  now += 360 * DAY
  t.mock.timers.tick(3_600_000)
  assert.match(log.named('certificate_expires')[0]!.message, /expires in 5 days/)
})

test('what shall not be warned of is told of at its end only', (t) => {
  const { watch, pass, told } = bed(t)
  watch.watch([certificate(2, { what: 'revocation list', warnDays: [] })])
  pass(1.5)
  assert.deepEqual(told(), [])
  pass(1)
  assert.deepEqual(told(), ['error certificate_expired a.pem 0'])
})
