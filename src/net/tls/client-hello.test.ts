// ClientHellos: real ones of Node and OpenSSL, malformed ones, and any bytes at all.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import tls from 'node:tls'
import fc from 'fast-check'
import { haveOpenssl } from '../../../test/support/certificates.ts'
import { type ClientHello, parseClientHello, tlsAlert } from './client-hello.ts'

const MAX_BYTES = 16 * 1024

const u8 = (value: number): Buffer => Buffer.from([value])
const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255])
const vector8 = (...parts: Buffer[]): Buffer => Buffer.concat([u8(Buffer.concat(parts).length), ...parts])
const vector16 = (...parts: Buffer[]): Buffer => Buffer.concat([u16(Buffer.concat(parts).length), ...parts])
const extension = (type: number, ...parts: Buffer[]): Buffer => Buffer.concat([u16(type), vector16(...parts)])
const hostName = (name: string | Buffer, kind = 0): Buffer =>
  Buffer.concat([u8(kind), vector16(typeof name === 'string' ? Buffer.from(name, 'latin1') : name)])
const serverName = (...names: Buffer[]): Buffer => extension(0, vector16(...names))
const alpn = (...protocols: string[]): Buffer =>
  extension(16, vector16(...protocols.map((protocol) => vector8(Buffer.from(protocol, 'latin1')))))

interface Parts {
  readonly version?: number
  readonly session?: Buffer
  readonly ciphers?: Buffer
  readonly compression?: Buffer
  /** Null = the hello ends before them. */
  readonly extensions?: readonly Buffer[] | null
  readonly type?: number
}

function message(parts: Parts = {}): Buffer {
  const { extensions = [], session = Buffer.alloc(32, 7), ciphers = Buffer.from([0x0a, 0x0a, 0x13, 0x01]) } = parts
  const body = Buffer.concat([
    u16(parts.version ?? 0x0303),
    Buffer.alloc(32, 9),
    vector8(session),
    vector16(ciphers),
    vector8(parts.compression ?? u8(0)),
    extensions === null ? Buffer.alloc(0) : vector16(...extensions),
  ])
  return Buffer.concat([u8(parts.type ?? 1), u8(body.length >> 16), u16(body.length & 0xffff), body])
}

/** The message in records that end at these positions of it. */
function records(bytes: Buffer, cuts: readonly number[] = []): Buffer {
  const edges = [0, ...[...new Set(cuts)].sort((a, b) => a - b).filter((cut) => cut > 0 && cut < bytes.length)]
  return Buffer.concat(
    edges.map((from, index) =>
      Buffer.concat([Buffer.from([22, 3, 1]), vector16(bytes.subarray(from, edges[index + 1] ?? bytes.length))]),
    ),
  )
}

const hello = (...extensions: Buffer[]): Buffer => records(message({ extensions }))
const parse = (bytes: Buffer, maxBytes = MAX_BYTES) => parseClientHello(bytes, bytes.length, maxBytes)

/** What all lengths of `bytes` say: numbers that ask for more, then one answer that stays. */
function assertSteady(bytes: Buffer, maxBytes = MAX_BYTES): ReturnType<typeof parse> {
  const whole = parse(bytes, maxBytes)
  // What lies behind `length` must make no difference.
  const noise = Buffer.alloc(bytes.length + 8, 0xff)
  for (let length = 0; length <= bytes.length; length++) {
    noise.fill(0xff)
    bytes.copy(noise, 0, 0, length)
    const result = parseClientHello(noise, length, maxBytes)
    if (typeof result === 'number') {
      assert.ok(result > length && result <= maxBytes, `${result} bytes asked for when there are ${length}`)
      if (typeof whole !== 'number' && typeof whole !== 'string') assert.ok(result <= bytes.length)
    } else assert.deepEqual(result, whole, `at ${length} of ${bytes.length}`)
  }
  return whole
}

describe('real clients', () => {
  /** What a client sends first, as it arrives: in one piece. */
  async function firstFlight(start: (port: number) => tls.TLSSocket | ChildProcess): Promise<Buffer> {
    const server = net.createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = start((server.address() as AddressInfo).port)
    if (client instanceof tls.TLSSocket) client.on('error', () => {})
    const [socket] = (await once(server, 'connection')) as [net.Socket]
    let bytes = Buffer.alloc(0)
    while (typeof parse(bytes) === 'number') {
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      bytes = Buffer.concat([bytes, chunk])
    }
    socket.destroy()
    server.close()
    if (client instanceof tls.TLSSocket) client.destroy()
    else {
      client.kill()
      await once(client, 'exit')
    }
    return bytes
  }

  for (const [what, options, expected] of [
    ['TLS 1.3', { minVersion: 'TLSv1.3', servername: 'Db.Example.com' }, { serverName: 'db.example.com', alpn: [] }],
    ['TLS 1.2', { maxVersion: 'TLSv1.2', servername: 'a_b.example' }, { serverName: 'a_b.example', alpn: [] }],
    ['no name', { ALPNProtocols: ['h2', 'http/1.1'] }, { serverName: '', alpn: ['h2', 'http/1.1'] }],
  ] as const) {
    test(`Node, ${what}`, async () => {
      const bytes = await firstFlight((port) =>
        tls.connect({
          port,
          host: '127.0.0.1',
          ...options,
          ALPNProtocols: [...('ALPNProtocols' in options ? options.ALPNProtocols : [])],
        }),
      )
      assert.deepEqual(assertSteady(bytes), expected)
    })
  }

  for (const [what, options, expected] of [
    ['TLS 1.3', ['-servername', 'x.test', '-alpn', 'postgresql'], { serverName: 'x.test', alpn: ['postgresql'] }],
    ['TLS 1.2', ['-tls1_2', '-servername', 'X.TEST.'], { serverName: 'x.test', alpn: [] }],
    ['no name', ['-noservername'], { serverName: '', alpn: [] }],
  ] as const) {
    test(`OpenSSL, ${what}`, async (t) => {
      if (!(await haveOpenssl())) return t.skip('the openssl program is not installed')
      const bytes = await firstFlight((port) =>
        spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...options], { stdio: 'ignore' }),
      )
      assert.deepEqual(assertSteady(bytes), expected)
    })
  }
})

test('the name is found among others, unknown extensions and GREASE', () => {
  const grease = extension(0x2a2a)
  const unknown = extension(0xfe0d, Buffer.alloc(300, 1))
  const bytes = hello(grease, unknown, alpn('\x0a\x0a', 'h2'), serverName(hostName('db.Example.COM.')), grease)
  assert.deepEqual(parse(bytes), { serverName: 'db.example.com', alpn: ['\x0a\x0a', 'h2'] })
  assert.deepEqual(parse(hello(serverName(hostName('x', 7), hostName('a.b')))), { serverName: 'a.b', alpn: [] })
  assert.deepEqual(parse(hello(serverName(hostName('x', 7)))), { serverName: '', alpn: [] })
  assert.deepEqual(parse(hello(serverName(hostName('127.0.0.1')))), { serverName: '127.0.0.1', alpn: [] })
  assert.deepEqual(parse(records(message({ extensions: null }))), { serverName: '', alpn: [] })
})

test('bytes behind the hello are not looked at', () => {
  const bytes = hello(serverName(hostName('a.test')))
  assert.deepEqual(parse(Buffer.concat([bytes, Buffer.from('whatever')])), { serverName: 'a.test', alpn: [] })
})

test('what is not TLS is known by its first bytes', () => {
  for (const text of ['GET / HTTP/1.1\r\n', '\x80\x2e\x01\x03\x01', '\x15\x03\x01', '\x16G', '\x16\x02\x00', 'S']) {
    assert.equal(assertSteady(Buffer.from(text, 'latin1')), 'not_tls', JSON.stringify(text))
  }
})

const label = 'a'.repeat(63)
const bad: Record<string, Buffer> = {
  'another message': records(message({ type: 2 })),
  'an empty record': Buffer.from([22, 3, 1, 0, 0]),
  'a record beyond 16 KiB': Buffer.from([22, 3, 1, 0x40, 1]),
  'an alert between its records': Buffer.concat([
    records(message()).subarray(0, 5).fill(0, 3, 4).fill(6, 4, 5),
    message().subarray(0, 6),
    Buffer.from([21, 3, 1, 0, 2]),
  ]),
  'something behind it in its record': records(Buffer.concat([message(), u8(0)])),
  'no body': records(Buffer.from([1, 0, 0, 0])),
  'an old version': records(message({ version: 0x0200 })),
  'a long session id': records(message({ session: Buffer.alloc(33) })),
  'no ciphers': records(message({ ciphers: Buffer.alloc(0) })),
  'half a cipher': records(message({ ciphers: Buffer.alloc(3) })),
  'no compression': records(message({ compression: Buffer.alloc(0) })),
  'bytes behind the extensions': records(
    ((bytes) => Buffer.concat([bytes.fill(bytes[3]! + 1, 3, 4), u8(0)]))(message()),
  ),
  'an extension beyond the end': hello(Buffer.from([0, 5, 0, 9, 1])),
  'half an extension': hello(Buffer.from([0, 5, 0])),
  'an empty server_name': hello(extension(0)),
  'an empty list of names': hello(serverName()),
  'an empty name': hello(serverName(hostName(''))),
  'a list of names that lies': hello(extension(0, Buffer.concat([u16(9), hostName('a')]))),
  'a name beyond its list': hello(extension(0, vector16(Buffer.from([0, 0, 9, 97])))),
  'two names': hello(serverName(hostName('a.test'), hostName('b.test'))),
  'two lists of names': hello(serverName(hostName('a.test')), serverName(hostName('a.test'))),
  'only a dot': hello(serverName(hostName('.'))),
  'two closing dots': hello(serverName(hostName('a..'))),
  'a name that begins with a dot': hello(serverName(hostName('.a'))),
  'an empty label': hello(serverName(hostName('a..b'))),
  'a long label': hello(serverName(hostName(`${label}a.test`))),
  'a long name': hello(serverName(hostName(`${label}.${label}.${label}.${label}`))),
  'a NUL in the name': hello(serverName(hostName('a.test\0.b'))),
  'a space in the name': hello(serverName(hostName('a test'))),
  'a name beyond ASCII': hello(serverName(hostName(Buffer.from('grün.test')))),
  'a name that folds into ASCII': hello(serverName(hostName('\u00e4\u212a.test'))),
  'an IPv6 literal': hello(serverName(hostName('::1'))),
  'an empty ALPN': hello(extension(16)),
  'an empty list of protocols': hello(alpn()),
  'an empty protocol': hello(alpn('h2', '')),
  'two lists of protocols': hello(alpn('h2'), alpn('h2')),
  'a list of protocols that lies': hello(extension(16, Buffer.from([0, 9, 2, 104, 50]))),
}

for (const [what, bytes] of Object.entries(bad)) {
  test(`refused: ${what}`, () => {
    assert.equal(assertSteady(bytes), 'bad_hello')
  })
}

test('a hello is too large when it says so, not when it has come', () => {
  const bytes = hello(extension(21, Buffer.alloc(2000)))
  assert.equal(parse(bytes.subarray(0, 9), 2000), 'hello_too_large')
  assert.equal(typeof parse(bytes.subarray(0, 9), bytes.length), 'number')
  assert.equal(typeof assertSteady(bytes, bytes.length), 'object')
  assert.equal(assertSteady(bytes, bytes.length - 1), 'hello_too_large')
  assert.equal(parse(Buffer.from([22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff])), 'hello_too_large')
  // Heads of records count too: one byte in each makes six of it.
  const body = message()
  const crumbs = records(body, Array.from(body.keys()))
  assert.equal(typeof assertSteady(crumbs, crumbs.length), 'object')
  assert.equal(assertSteady(crumbs, crumbs.length - 1), 'hello_too_large')
})

describe('properties', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}(\.[a-z0-9-]{1,20}){0,3}$/)
  const protocols = fc.array(fc.stringMatching(/^[a-z0-9/.]{1,20}$/), { maxLength: 4 })
  const others = fc.array(fc.tuple(fc.integer({ min: 17, max: 0xffff }), fc.uint8Array({ maxLength: 200 })), {
    maxLength: 5,
  })
  const sound = fc
    .tuple(fc.option(name, { nil: '' }), protocols, others, fc.array(fc.nat(600), { maxLength: 6 }), fc.nat())
    .map(([sni, offered, rest, cuts, at]) => {
      const extensions = rest.map(([type, value]) => extension(type, Buffer.from(value)))
      if (sni !== '') extensions.splice(at % (extensions.length + 1), 0, serverName(hostName(sni)))
      if (offered.length > 0) extensions.splice(at % (extensions.length + 1), 0, alpn(...offered))
      const expected: ClientHello = { serverName: sni.toLowerCase(), alpn: offered }
      return { bytes: records(message({ extensions }), cuts), expected }
    })

  test('a sound hello is read, however it is cut into records and packets', () => {
    fc.assert(
      fc.property(sound, ({ bytes, expected }) => {
        assert.deepEqual(assertSteady(bytes), expected)
      }),
      { numRuns: 200 },
    )
  })

  test('any change of a sound hello leads to an answer, the same wherever it is cut', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(sound, changes, ({ bytes }, edits) => {
        const changed = Buffer.from(bytes)
        for (const [at, value] of edits) changed[at % changed.length] = value
        assertSteady(changed)
      }),
      { numRuns: 500 },
    )
  })

  test('a truncated hello asks for more', () => {
    fc.assert(
      fc.property(sound, fc.nat(), ({ bytes }, at) => {
        const length = at % bytes.length
        const needed = parse(bytes.subarray(0, length))
        assert.ok(typeof needed === 'number' && needed > length && needed <= bytes.length)
      }),
    )
  })

  test('any bytes have an answer', () => {
    const any = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes))
    fc.assert(fc.property(any, (bytes) => void assertSteady(bytes)))
    const begun = any.map((bytes) => Buffer.concat([Buffer.from([22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]), bytes]))
    fc.assert(fc.property(begun, fc.integer({ min: 0, max: 300 }), (bytes, max) => void assertSteady(bytes, max)))
  })
})

test('an alert is one record', () => {
  assert.equal(tlsAlert(112).toString('hex'), '15030300020270')
})
