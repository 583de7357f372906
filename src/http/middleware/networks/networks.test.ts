import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf } from '../../../../test/support/heap.ts'
import { TestRequest } from '../../../../test/support/request-view.ts'
import type { Middleware } from '../../../core/plugin.ts'
import { isRefusal } from '../refusal.ts'
import { networks } from './networks.ts'

const passes = (step: Middleware, address: string): boolean => {
  const answer = step.onRequest!(new TestRequest({ client: { address } }))
  if (answer === undefined) return true
  assert.ok('status' in answer! && isRefusal(answer) && answer.status === 403 && answer.error.name === 'forbidden')
  return false
}

test('without allow everybody who is not denied may', () => {
  const step = networks([], ['10.0.0.0/8', '2001:db8::/32', 'unix'])
  const addresses = ['10.1.2.3', '11.1.2.3', '2001:db8::1', '2001:db9::1', 'unix:']
  assert.deepEqual(
    addresses.map((address) => passes(step, address)),
    [false, true, false, true, false],
  )
})

test('with allow only those in it, and of them none who is denied', () => {
  const step = networks(['10.0.0.0/8', '::1'], ['10.66.0.0/16'])
  const addresses = ['10.1.2.3', '10.66.0.1', '192.0.2.1', '::1', '::2', 'unix:', '', '10.1.2.3x']
  for (const round of [1, 2]) {
    assert.deepEqual(
      addresses.map((address) => passes(step, address)),
      [true, false, false, true, false, false, false, false],
      `${round}`,
    )
  }
  assert.ok(passes(networks(['unix'], []), 'unix:'))
})

test('a million addresses are not remembered', () => {
  const step = networks([], ['10.0.0.0/8'])
  const before = process.memoryUsage().heapUsed
  const request = { client: { address: '' } }
  for (let i = 0; i < 1_000_000; i++) {
    request.client.address = `192.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`
    step.onRequest!(request as unknown as TestRequest)
  }
  assert.ok(process.memoryUsage().heapUsed - before < 32 * 1024 * 1024)
})

test('an address that a proxy tells of does not keep the header section that it stood in', () => {
  const remembering = (): Middleware => {
    const step = networks([], ['10.0.0.0/8'])
    for (let i = 0; i < 200; i++) {
      const head = Buffer.from(`2001:db8:ffff:ffff::${i}${'x'.repeat(60_000)}`).latin1Slice()
      passes(step, head.slice(0, head.indexOf('x')))
    }
    return step
  }
  assert.ok(bytesOf(remembering) < 1_000_000)
})
