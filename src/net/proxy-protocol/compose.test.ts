import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatAddress, parseAddress } from '../../util/cidr.ts'
import { type Endpoint, unixAddress } from '../arrival.ts'
import { proxyHeader } from './compose.ts'
import { parseProxyHeader } from './parse.ts'

const v4: Endpoint = { address: '192.0.2.7', port: 56_324 }
const v4Destination: Endpoint = { address: '198.51.100.1', port: 443 }
const v6: Endpoint = { address: '2001:db8::7', port: 1 }
const unix: Endpoint = { address: unixAddress, port: 0 }

const line = (source: Endpoint | null, destination: Endpoint | null) =>
  proxyHeader('v1', source, destination).toString('latin1')
const binary = (source: Endpoint | null, destination: Endpoint | null) =>
  proxyHeader('v2', source, destination).toString('hex')
const signature = '0d0a0d0a000d0a515549540a'

describe('proxyHeader', () => {
  it('writes both ends of an IPv4 connection', () => {
    assert.equal(line(v4, v4Destination), 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n')
    assert.equal(binary(v4, v4Destination), `${signature}2111000cc0000207c6336401dc0401bb`)
  })

  it('writes both ends of an IPv6 connection, without a zone', () => {
    const destination = { address: 'fe80::1%eth0', port: 80 }
    assert.equal(line(v6, destination), 'PROXY TCP6 2001:db8::7 fe80::1 1 80\r\n')
    const ends = '20010db8000000000000000000000007fe800000000000000000000000000001'
    assert.equal(binary(v6, destination), `${signature}21210024${ends}00010050`)
  })

  it('writes an IPv4 end as IPv6 beside one that is, and IPv4 in IPv6 clothes as IPv4', () => {
    assert.equal(line(v4, v6), 'PROXY TCP6 ::ffff:192.0.2.7 2001:db8::7 56324 1\r\n')
    const ends = '00000000000000000000ffffc000020720010db8000000000000000000000007'
    assert.equal(binary(v4, v6), `${signature}21210024${ends}dc040001`)
    assert.equal(line({ ...v4, address: '::ffff:192.0.2.7' }, v4Destination), line(v4, v4Destination))
  })

  it('says of a connection of our own that it is one, and nothing of a Unix socket', () => {
    assert.equal(line(null, null), 'PROXY UNKNOWN\r\n')
    assert.equal(binary(null, null), `${signature}20000000`)
    for (const [source, destination] of [
      [unix, unix],
      [unix, v4],
      [v4, unix],
      [v4, null],
    ] as const) {
      assert.equal(line(source, destination), 'PROXY UNKNOWN\r\n')
      assert.equal(binary(source, destination), `${signature}21000000`)
    }
  })

  it('is read back as it was meant, whatever the addresses', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6())
    const endpoint = fc.record({ address, port: fc.integer({ min: 0, max: 0xffff }) })
    const normal = ({ address, port }: Endpoint): Endpoint => {
      const { family, value } = parseAddress(address)!
      return { address: formatAddress(family, value), port }
    }
    fc.assert(
      fc.property(fc.constantFrom('v1' as const, 'v2' as const), endpoint, endpoint, (version, source, destination) => {
        const header = proxyHeader(version, source, destination)
        assert.ok(version === 'v2' || header.length <= 107)
        assert.deepEqual(parseProxyHeader(header, header.length), {
          size: header.length,
          source: normal(source),
          destination: normal(destination),
        })
      }),
    )
  })
})
