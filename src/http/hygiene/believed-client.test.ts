import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileCidrs } from '../../util/cidr.ts'
import { believedClient } from './believed-client.ts'

const isTrusted = compileCidrs(['10.0.0.0/8', 'fd00::/8'])

for (const [chain, client] of [
  ['', ''],
  ['203.0.113.7', '203.0.113.7'],
  ['203.0.113.7, 10.0.0.2', '203.0.113.7'],
  ['1.1.1.1, 203.0.113.7, 10.0.0.2,10.0.0.3', '203.0.113.7'],
  ['10.0.0.9, 10.0.0.2', '10.0.0.9'],
  ['203.0.113.7:1234', '203.0.113.7'],
  ['[2001:DB8::7]:443', '2001:db8::7'],
  ['2001:db8::7, fd00::1', '2001:db8::7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['203.0.113.7, unknown', ''],
  ['203.0.113.7, unknown, 10.0.0.2', '10.0.0.2'],
  ['203.0.113.7, <script>', ''],
  [',', ''],
  ['203.0.113.7,', ''],
  ['999.1.1.1', ''],
] as const) {
  test(`"${chain}" comes from "${client}"`, () => assert.equal(believedClient(chain, isTrusted), client))
}
