import assert from 'node:assert/strict'
import { BlockList, isIPv4 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileCidrs, parseAddress, parseCidr } from './cidr.ts'

const normal: [string, string][] = [
  ['10.1.2.3/8', '10.0.0.0/8'],
  ['192.0.2.7', '192.0.2.7/32'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['FD00::1/8', 'fd00::/8'],
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1/128'],
  ['::/0', '::/0'],
  ['::ffff:10.0.0.1/104', '10.0.0.0/8'],
]
for (const [text, expected] of normal)
  test(`${text} is ${expected}`, () => assert.equal(parseCidr(text).text, expected))

for (const text of [
  '',
  'x',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '::/129',
  '10.0.0/8',
  '1.2.3.4/8/8',
  'fe80::1%eth0',
  '::ffff:1.2.3.4/64',
]) {
  test(`${JSON.stringify(text)} is refused by name`, () => {
    assert.throws(
      () => parseCidr(text),
      (error: Error) => error.message.includes(JSON.stringify(text)),
    )
  })
}

test('an IPv4 address in IPv6 clothes is the IPv4 address', () => {
  assert.deepEqual(parseAddress('::ffff:1.2.3.4'), parseAddress('1.2.3.4'))
  assert.ok(compileCidrs(['1.2.3.0/24'])('::ffff:1.2.3.4'))
})

test('no blocks contain nothing, and no block contains what is no address', () => {
  assert.equal(compileCidrs([])('127.0.0.1'), false)
  assert.equal(compileCidrs(['0.0.0.0/0', '::/0'])('localhost'), false)
})

test('unix stands for those on a Unix socket, and for nobody else', () => {
  const isListed = compileCidrs(['unix', '10.0.0.0/8'])
  assert.ok(isListed('unix:'))
  assert.ok(isListed('10.1.2.3'))
  assert.equal(isListed('unix'), false)
  assert.equal(isListed('11.1.2.3'), false)
  assert.equal(compileCidrs(['10.0.0.0/8'])('unix:'), false)
})

test('membership agrees with node:net BlockList', () => {
  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6().filter((text) => parseAddress(text)?.family === 6),
  )
  fc.assert(
    fc.property(address, address, fc.integer({ min: 0, max: 128 }), (network, candidate, length) => {
      const family = isIPv4(network) ? 'ipv4' : 'ipv6'
      const prefix = family === 'ipv4' ? length % 33 : length
      const list = new BlockList()
      list.addSubnet(network, prefix, family)
      const expected = isIPv4(candidate) === isIPv4(network) && list.check(candidate, family)
      assert.equal(compileCidrs([`${network}/${prefix}`])(candidate), expected)
    }),
  )
})

test('the normal form is a fixed point', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      const { text } = parseCidr(address)
      assert.equal(parseCidr(text).text, text)
    }),
  )
})
