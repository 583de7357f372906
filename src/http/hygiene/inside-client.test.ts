// Who may know the inside: nobody whose address somebody else may hide.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileCidrs } from '../../util/cidr.ts'
import { isInsideClient } from './inside-client.ts'

const isTrusted = compileCidrs(['10.0.0.0/8'])
const knows = (peer: string, block = 'Host: a\r\n'): boolean => isInsideClient(peer, block, isTrusted)

test('this machine and trusted networks, as they come', () => {
  for (const peer of ['127.0.0.1', '127.9.9.9', '::1', '10.1.2.3']) assert.ok(knows(peer), peer)
  for (const peer of ['192.0.2.1', '2001:db8::1', '128.0.0.1', 'unix:', '']) assert.ok(!knows(peer), peer)
  assert.ok(isInsideClient('unix:', '', compileCidrs(['unix'])))
})

test('behind a proxy that is not declared nobody is', () => {
  for (const field of [
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-Proto: https',
    'x_forwarded_for: 127.0.0.1',
    'Forwarded: for=127.0.0.1',
    'Via: 1.1 somebody',
    'X-Real-IP: 127.0.0.1',
    'CF-Connecting-IP: 127.0.0.1',
  ]) {
    assert.ok(!knows('127.0.0.1', `Host: a\r\n${field}\r\n`), field)
  }
})

test('behind a trusted proxy every address that the request came through counts', () => {
  const via = (chain: string, more = ''): boolean => knows('10.0.0.1', `X-Forwarded-For: ${chain}\r\n${more}`)
  for (const chain of ['127.0.0.1', '10.2.3.4', '10.2.3.4, 127.0.0.1', '10.2.3.4:5555']) assert.ok(via(chain), chain)
  for (const chain of ['192.0.2.1', '192.0.2.1, 10.2.3.4', '10.2.3.4, 192.0.2.1', 'unknown', 'unknown, 10.2.3.4', '']) {
    assert.ok(!via(chain), chain)
  }
  assert.ok(!via('127.0.0.1', 'X-Forwarded-For: 192.0.2.1\r\n'), 'in two fields')
  assert.ok(!knows('10.0.0.1', 'Via: 1.1 it\r\n'), 'a proxy that does not tell for whom')
})
