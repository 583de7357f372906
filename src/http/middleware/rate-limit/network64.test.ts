import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAddress, parseAddress } from '../../../util/cidr.ts'
import { network64 } from './network64.ts'

const out = new Uint32Array(2)
const network = (address: string): bigint => {
  network64(address, out)
  return (BigInt(out[0]!) << 32n) | BigInt(out[1]!)
}

test('the /64 of every spelling of an address', () => {
  assert.equal(network('2001:db8:1:2:3:4:5:6'), 0x2001_0db8_0001_0002n)
  assert.equal(network('2001:DB8::1'), 0x2001_0db8_0000_0000n)
  assert.equal(network('2001:db8:1:2::'), network('2001:db8:1:2:ffff::'))
  assert.equal(network('::'), 0n)
  assert.equal(network('1::3:4:5:6:7:8'), 0x0001_0000_0003_0004n)
  assert.equal(network('::3:4:5:6:7:8'), 0x0000_0000_0003_0004n)
  assert.equal(network('::2:3:4:5:6:7:8'), 0x0000_0002_0003_0004n)
  assert.equal(network('fe80::1%eth0'), 0xfe80_0000_0000_0000n)
  assert.equal(network('64:ff9b::192.0.2.1'), 0x0064_ff9b_0000_0000n)
  assert.equal(network('1:2:3:4:5:6:192.0.2.1'), 0x0001_0002_0003_0004n)
  assert.equal(network('::1:2:3:4:192.0.2.1'), 0x0000_0000_0001_0002n)
})

test('it is what reading the whole address gives', () => {
  const group = fc.oneof(fc.constant(0), fc.nat(0xffff))
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), fc.boolean(), (groups, compressed) => {
      const value = groups.reduce((sum, one) => (sum << 16n) | BigInt(one), 0n)
      const text = compressed ? formatAddress(6, value) : groups.map((one) => one.toString(16)).join(':')
      if (parseAddress(text)!.family === 6) assert.equal(network(text), value >> 64n, text)
    }),
  )
})
