// PROXY headers of both versions: sound ones, lies, and any bytes at all.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { MAX_PROXY_HEADER, parseProxyHeader } from './parse.ts'

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

/** A binary header; `length` lies about the size of what follows. */
function binary(command: number, family: number, body: Buffer, length = body.length): Buffer {
  return Buffer.concat([SIGNATURE, Buffer.from([command, family, length >> 8, length & 255]), body])
}

const inet = Buffer.from('c0000201cb00710ad90301bb', 'hex')
const inet6 = Buffer.from(`20010db8${'0'.repeat(23)}1${'0'.repeat(31)}11f900050`, 'hex')
const mapped = Buffer.from(`${'00'.repeat(10)}ffff0a000001${'00'.repeat(10)}ffff0a0000010001ffff`, 'hex')
const tlv = (type: number, size: number, length = size): Buffer =>
  Buffer.concat([Buffer.from([type, length >> 8, length & 255]), Buffer.alloc(size, 5)])

const parse = (bytes: Buffer | string) => {
  const all = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
  return parseProxyHeader(all, all.length)
}

/** What all lengths of `bytes` say: numbers that ask for more, then one answer that stays. */
function assertSteady(given: Buffer | string): ReturnType<typeof parse> {
  const bytes = typeof given === 'string' ? Buffer.from(given, 'latin1') : given
  const whole = parse(bytes)
  const noise = Buffer.alloc(bytes.length + 8)
  for (let length = 0; length <= bytes.length; length++) {
    // What lies behind `length` must make no difference.
    noise.fill(0x0a)
    bytes.copy(noise, 0, 0, length)
    const result = parseProxyHeader(noise, length)
    if (typeof result === 'number') {
      assert.ok(result > length && result <= MAX_PROXY_HEADER, `${result} bytes asked for when there are ${length}`)
      if (typeof whole !== 'number' && 'size' in whole) assert.ok(result <= whole.size)
    } else assert.deepEqual(result, whole, `at ${length} of ${bytes.length}`)
  }
  return whole
}

const ends = (source: [string, number] | null, destination?: [string, number]) => ({
  source: source === null ? null : { address: source[0], port: source[1] },
  destination: destination === undefined ? null : { address: destination[0], port: destination[1] },
})

describe('version 1', () => {
  const sound: [string, ReturnType<typeof ends>][] = [
    ['PROXY TCP4 192.0.2.1 203.0.113.10 55555 443\r\n', ends(['192.0.2.1', 55555], ['203.0.113.10', 443])],
    ['PROXY TCP4 255.255.255.255 0.0.0.0 0 65535\r\n', ends(['255.255.255.255', 0], ['0.0.0.0', 65535])],
    ['PROXY TCP6 2001:DB8:0:0::1 ::1 1 2\r\n', ends(['2001:db8::1', 1], ['::1', 2])],
    ['PROXY TCP6 ::ffff:10.0.0.1 ::FFFF:a00:2 1 2\r\n', ends(['10.0.0.1', 1], ['10.0.0.2', 2])],
    ['PROXY UNKNOWN\r\n', ends(null)],
    ['PROXY UNKNOWN \0 whatever\r\n', ends(null)],
    [`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`, ends(null)],
  ]
  for (const [line, expected] of sound) {
    test(JSON.stringify(line.slice(0, 60)), () => {
      assert.deepEqual(assertSteady(line), { size: line.length, ...expected })
      assert.deepEqual(assertSteady(`${line}GET / HTTP/1.1\r\n\r\n`), { size: line.length, ...expected })
    })
  }

  for (const line of [
    'GET / HTTP/1.1\r\n',
    'proxy TCP4 192.0.2.1 203.0.113.10 1 2\r\n',
    'PROXY\r\n',
    'PROXY \r\n',
    'PROXY  TCP4 192.0.2.1 203.0.113.10 1 2\r\n',
    'PROXY TCP4 192.0.2.1 203.0.113.10 1 2\n',
    'PROXY TCP4 192.0.2.1 203.0.113.10 1 2\r\r\n',
    'PROXY TCP4 192.0.2.1 203.0.113.10 1 2 \r\n',
    'PROXY TCP4 192.0.2.1  203.0.113.10 1 2\r\n',
    'PROXY TCP4 192.0.2.1\t203.0.113.10 1 2\r\n',
    'PROXY TCP4 192.0.2.1 203.0.113.10 1\r\n',
    'PROXY TCP4 192.0.2.1 203.0.113.10 01 2\r\n',
    'PROXY TCP4 192.0.2.1 203.0.113.10 1 65536\r\n',
    'PROXY TCP4 192.0.2.1 203.0.113.10 1 -2\r\n',
    'PROXY TCP4 192.0.2.1 203.0.113.10 +1 2\r\n',
    'PROXY TCP4 192.0.2.01 203.0.113.10 1 2\r\n',
    'PROXY TCP4 192.0.2.256 203.0.113.10 1 2\r\n',
    'PROXY TCP4 192.0.2 203.0.113.10 1 2\r\n',
    'PROXY TCP4 ::1 ::2 1 2\r\n',
    'PROXY TCP6 192.0.2.1 203.0.113.10 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY TCP6 ::1::2 ::1 1 2\r\n',
    'PROXY TCP6 ::12345 ::1 1 2\r\n',
    'PROXY TCP5 192.0.2.1 203.0.113.10 1 2\r\n',
    'PROXY UDP4 192.0.2.1 203.0.113.10 1 2\r\n',
    'PROXY UNKNOWNS\r\n',
    'PROXY TCP4 192.0.2.1 203.0.113.10 1 2\r\0\n',
    `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`,
    `PROXY TCP4 ${'1'.repeat(200)}`,
    `PROXY ${'x'.repeat(60_000)}`.slice(0, 500),
  ]) {
    test(`refused: ${JSON.stringify(line.slice(0, 60))}`, () => {
      const result = assertSteady(line)
      assert.ok(typeof result === 'object' && 'problem' in result, JSON.stringify(result))
    })
  }
})

describe('version 2', () => {
  const sound: [string, Buffer, ReturnType<typeof ends>][] = [
    ['IPv4', binary(0x21, 0x11, inet), ends(['192.0.2.1', 55555], ['203.0.113.10', 443])],
    ['IPv6', binary(0x21, 0x21, inet6), ends(['2001:db8::1', 8080], ['::1', 80])],
    ['IPv4 in IPv6', binary(0x21, 0x21, mapped), ends(['10.0.0.1', 1], ['10.0.0.1', 65535])],
    [
      'TLVs',
      binary(0x21, 0x11, Buffer.concat([inet, tlv(4, 0), tlv(0xe0, 300)])),
      ends(['192.0.2.1', 55555], ['203.0.113.10', 443]),
    ],
    ['a Unix socket', binary(0x21, 0x31, Buffer.alloc(216)), ends(null)],
    ['a datagram', binary(0x21, 0x12, inet), ends(null)],
    ['UNSPEC', binary(0x21, 0x00, Buffer.alloc(0)), ends(null)],
    ['UNSPEC with something', binary(0x21, 0x00, Buffer.alloc(5)), ends(null)],
    ['LOCAL', binary(0x20, 0x00, Buffer.alloc(0)), ends(null)],
    ['LOCAL with an unknown family', binary(0x20, 0xff, Buffer.alloc(7, 1)), ends(null)],
    ['as long as it may be', binary(0x20, 0x00, Buffer.alloc(MAX_PROXY_HEADER - 16)), ends(null)],
  ]
  for (const [what, bytes, expected] of sound) {
    test(what, () => {
      assert.deepEqual(assertSteady(bytes), { size: bytes.length, ...expected })
      const more = Buffer.concat([bytes, Buffer.from('\r\n')])
      assert.deepEqual(assertSteady(more), { size: bytes.length, ...expected })
    })
  }

  const lies: Record<string, Buffer> = {
    'another signature': Buffer.concat([SIGNATURE.subarray(0, 11), Buffer.from('\r!'), inet]),
    'version 1 in binary': binary(0x11, 0x11, inet),
    'version 3': binary(0x31, 0x11, inet),
    'an unknown command': binary(0x22, 0x11, inet),
    'an unknown family': binary(0x21, 0x41, inet),
    'an unknown protocol': binary(0x21, 0x13, inet),
    'too short for IPv4': binary(0x21, 0x11, inet, 11),
    'IPv4 said to be IPv6': binary(0x21, 0x21, inet),
    'too short for a Unix socket': binary(0x21, 0x31, Buffer.alloc(215)),
    'longer than it may be': binary(0x21, 0x11, inet, MAX_PROXY_HEADER - 15),
    'as long as a length can say': binary(0x20, 0x00, Buffer.alloc(0), 65535),
    'a TLV beyond the end': binary(0x21, 0x11, Buffer.concat([inet, tlv(4, 10, 11)])),
    'an oversized TLV': binary(0x21, 0x11, Buffer.concat([inet, tlv(4, 10, 65535)])),
    'half a TLV': binary(0x21, 0x11, Buffer.concat([inet, tlv(4, 0), Buffer.from([1, 0])])),
  }
  for (const [what, bytes] of Object.entries(lies)) {
    test(`refused: ${what}`, () => {
      const result = assertSteady(bytes)
      assert.ok(typeof result === 'object' && 'problem' in result, JSON.stringify(result))
    })
  }
})

describe('properties', () => {
  const port = fc.integer({ min: 0, max: 65535 })
  const tail = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))

  test('what is composed is read again', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), port, port, tail, (source, destination, from, to, rest) => {
        const line = Buffer.from(`PROXY TCP4 ${source} ${destination} ${from} ${to}\r\n`)
        const expected = ends([source, from], [destination, to])
        assert.deepEqual(assertSteady(Buffer.concat([line, rest])), { size: line.length, ...expected })
        const octets = [source, destination].flatMap((address) => address.split('.').map(Number))
        const body = Buffer.from([...octets, from >> 8, from & 255, to >> 8, to & 255])
        const head = binary(0x21, 0x11, body)
        assert.deepEqual(assertSteady(Buffer.concat([head, rest])), { size: head.length, ...expected })
      }),
    )
  })

  test('an IPv6 address is the same one in every spelling and in both versions', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.boolean(), (octets, upper) => {
        const address = Buffer.from(octets)
        const groups = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(2 * i).toString(16)).join(':')
        const text = upper ? groups.toUpperCase() : groups
        const spelled = parse(`PROXY TCP6 ${text} ::1 1 2\r\n`)
        const packed = parse(
          binary(0x21, 0x21, Buffer.concat([address, inet6.subarray(16, 32), Buffer.from([0, 1, 0, 2])])),
        )
        assert.ok(
          typeof spelled === 'object' && 'source' in spelled && typeof packed === 'object' && 'source' in packed,
        )
        assert.deepEqual(spelled.source, packed.source)
      }),
    )
  })

  test('any change of a sound header leads to an answer, the same wherever it is cut', () => {
    const sound = fc.constantFrom(
      Buffer.from('PROXY TCP4 192.0.2.1 203.0.113.10 55555 443\r\n'),
      Buffer.from('PROXY TCP6 2001:db8::1 ::1 55555 443\r\n'),
      binary(0x21, 0x11, Buffer.concat([inet, tlv(1, 5), tlv(2, 0)])),
      binary(0x21, 0x21, Buffer.concat([inet6, tlv(1, 200)])),
      binary(0x20, 0x00, tlv(4, 10)),
    )
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(sound, edits, (bytes, changes) => {
        const changed = Buffer.from(bytes)
        for (const [at, value] of changes) changed[at % changed.length] = value
        assertSteady(changed)
      }),
      { numRuns: 2000 },
    )
  })

  test('any bytes have an answer', () => {
    fc.assert(fc.property(tail, (bytes) => void assertSteady(bytes)))
    fc.assert(
      fc.property(tail, (bytes) => void assertSteady(Buffer.concat([SIGNATURE, bytes]))),
      { numRuns: 1000 },
    )
    fc.assert(fc.property(tail, (bytes) => void assertSteady(Buffer.concat([Buffer.from('PROXY '), bytes]))))
  })
})
