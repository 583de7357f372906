// Bodies: every framing both ways, byte for byte, at any size and in any pieces; back-pressure; constant memory.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { fieldValue } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { startProxy, type TestProxy } from '../support/proxy.ts'
import { startProxyProcess } from '../support/proxy-process.ts'
import { Random } from '../support/random.ts'
import { RawClient } from '../support/raw-client.ts'
import { acting, assertSameBytes } from '../support/stand.ts'
import { until, within } from '../support/wait.ts'

const MIB = 1024 * 1024
const sizes = [0, 1, 2, 4095, 4096, 4097, 16_384, 65_535, 65_536, 65_537, 131_073, MIB]

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A server that sends back what it got, in the framing that the path names, in pieces of random sizes. */
async function echo(scope: Scope, random: Random): Promise<string> {
  const server = createServer({ keepAliveTimeout: 0 }, (req, res) => void answer(req, res).catch(() => res.destroy()))
  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of req as AsyncIterable<Buffer>) parts.push(part)
    const body = Buffer.concat(parts)
    if (req.url === '/length') res.setHeader('content-length', body.length)
    if (req.url === '/close') res.useChunkedEncodingByDefault = res.shouldKeepAlive = false
    res.flushHeaders()
    for (const piece of random.pieces(body)) {
      if (!res.write(piece)) await once(res, 'drain')
      if (random.between(0, 1) === 0) await turn()
    }
    res.end()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function* framed(body: Buffer, framing: string, random: Random): Iterable<Buffer> {
  if (framing === 'length') {
    yield* random.pieces(body)
    return
  }
  const coded: Buffer[] = []
  for (const piece of random.pieces(body)) {
    const extension = random.between(0, 4) === 0 ? ';name=value' : ''
    coded.push(Buffer.from(`${piece.length.toString(16)}${extension}\r\n`), piece, Buffer.from('\r\n'))
  }
  coded.push(Buffer.from('0\r\n\r\n'))
  yield* random.pieces(Buffer.concat(coded))
}

for (const up of ['length', 'chunked']) {
  for (const down of ['length', 'chunked', 'close']) {
    leakTest(`a body goes up with ${up} and comes back with ${down}, byte for byte`, async (scope) => {
      const random = new Random()
      const proxy = scope.use(await startProxy([await echo(scope, random)]))
      const client = scope.use(await RawClient.open(proxy.port))
      for (const size of [...sizes, random.between(2, 300_000)]) {
        const body = random.bytes(size)
        const framing = up === 'length' ? `Content-Length: ${size}` : 'Transfer-Encoding: chunked'
        client.write(`POST /${down} HTTP/1.1\r\nHost: t\r\n${framing}\r\n\r\n`)
        for (const piece of framed(body, up, random)) {
          client.write(piece)
          if (random.between(0, 1) === 0) await turn()
        }
        const reply = await client.reply('POST')
        assertSameBytes(reply.body, body, `${size} bytes, seed ${random.seed}`)
        assert.equal(reply.framing, down === 'length' ? 'length' : 'chunked')
      }
    })
  }
}

leakTest('a body in pieces of one byte arrives whole, chunked and with a length', async (scope) => {
  const { backend, client } = await acting(scope)
  const body = 'abcdefghijklmnopqrstuvwxyz'.repeat(20)
  client.write(`POST / HTTP/1.1\r\nHost: t\r\nX-Act-Echo: 1\r\nTransfer-Encoding: chunked\r\n\r\n`)
  for (const letter of body) {
    client.write(`1\r\n${letter}\r\n`)
    await turn()
  }
  assert.equal((await client.request('0\r\n\r\n', 'POST')).body.toString(), body)
  client.write(`POST / HTTP/1.1\r\nHost: t\r\nX-Act-Echo: 1\r\nContent-Length: ${body.length}\r\n\r\n`)
  for (const letter of body) {
    client.write(letter)
    await turn()
  }
  assert.equal((await client.reply('POST')).body.toString(), body)
  assert.equal(backend.connections, 1)
})

leakTest('an answer of an HTTP/1.0 kind, ended by FIN, comes whole with and without a body', async (scope) => {
  const { client } = await acting(scope)
  for (const size of [0, 1, 65_536, 200_000]) {
    const reply = await client.request(
      `GET / HTTP/1.1\r\nHost: t\r\nX-Act-Until-Close: 1\r\nX-Act-Size: ${size}\r\n\r\n`,
    )
    assert.equal(reply.framing, 'chunked')
    assert.equal(reply.body.length, size)
  }
})

leakTest('an answer that comes before the end of the request body is passed on at once', async (scope) => {
  const tcp = createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.write('HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno'))
    socket.resume()
  })
  const proxy = scope.use(await startProxy([await listening(scope, tcp)]))
  const client = scope.use(await RawClient.open(proxy.port))
  client.write(`POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\nthe beginning`)
  const reply = await client.reply('POST')
  assert.equal(reply.status, 413)
  assert.equal(fieldValue(reply, 'connection'), 'close')
})

// --- back-pressure ---

async function listening(scope: Scope, server: ReturnType<typeof createTcpServer>): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Resolves when a count has stood still for a while: then everything between sender and receiver is full. */
async function standstill(count: () => number): Promise<number> {
  let last = -1
  let since = performance.now()
  await until('the transfer stands still', () => {
    if (count() !== last) {
      last = count()
      since = performance.now()
    }
    return last > 0 && performance.now() - since > 150
  })
  return last
}

/** Writes `total` bytes as fast as they are taken; `sent` is what has left this process. */
function pump(socket: Socket, total: number, block: Buffer): { readonly sent: number; readonly done: Promise<void> } {
  const before = socket.bytesWritten
  const done = (async () => {
    for (let left = total; left > 0 && !socket.destroyed; left -= block.length) {
      if (!socket.write(left < block.length ? block.subarray(0, left) : block)) {
        await flowing(socket)
      }
    }
  })()
  return {
    done,
    get sent() {
      return socket.bytesWritten - before - socket.writableLength
    },
  }
}

/** Resolves when the socket takes more, or is gone. */
function flowing(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })
}

/** What the kernel may hold in the four socket buffers of one exchange. */
const KERNEL_BYTES = 24 * MIB

leakTest('a client that does not read stops the backend; when it reads again everything comes', async (scope) => {
  const total = 64 * MIB
  let pumping: ReturnType<typeof pump> | null = null
  const tcp = createTcpServer((socket) => {
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`)
      pumping = pump(socket, total, Buffer.alloc(65_536, 'x'))
    })
  })
  const proxy = scope.use(await startProxy([await listening(scope, tcp)]))
  const socket = connect(proxy.port, '127.0.0.1')
  scope.defer(() => socket.destroy())
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: t\r\n\r\n')
  const stuck = await standstill(() => pumping?.sent ?? 0)
  assert.ok(stuck < KERNEL_BYTES, `${stuck} bytes were taken from the backend while nobody read them`)
  let got = 0
  socket.on('data', (bytes: Buffer) => {
    got += bytes.length
  })
  socket.resume()
  await until('the rest has come', () => got > total)
})

leakTest('a backend that does not read stops the client; when it reads again everything comes', async (scope) => {
  const total = 64 * MIB
  let got = 0
  const accepted: Socket[] = []
  const tcp = createTcpServer((socket) => {
    accepted.push(socket)
    socket.pause()
    socket.on('data', (bytes: Buffer) => {
      got += bytes.length
      if (got > total) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
    })
    socket.pause()
  })
  const proxy = scope.use(await startProxy([await listening(scope, tcp)]))
  const client = scope.use(await RawClient.open(proxy.port))
  client.write(`POST / HTTP/1.1\r\nHost: t\r\nContent-Length: ${total}\r\n\r\n`)
  const pumping = pump(client.socket, total, Buffer.alloc(65_536, 'x'))
  const stuck = await standstill(() => pumping.sent)
  assert.ok(stuck < KERNEL_BYTES, `${stuck} bytes were taken from the client while nobody read them`)
  accepted[0]?.resume()
  assert.equal((await client.reply('POST')).body.toString(), 'ok')
  await pumping.done
})

/** A server whose answer is as long as the path says; with a length, or ended by FIN. */
async function sized(scope: Scope): Promise<string> {
  const tcp = createTcpServer((socket) => {
    socket.once('data', (request) => {
      const size = Number(/\/(\d+)/.exec(request.toString())?.[1])
      const length = request.includes('until-close') ? '' : `Content-Length: ${size}\r\n`
      socket.write(`HTTP/1.1 200 OK\r\n${length}\r\n`)
      socket.end(Buffer.alloc(size, 'slow '))
    })
  })
  return listening(scope, tcp)
}

/**
 * A request whose answer the proxy has wholly taken from the backend although its client reads nothing: as long as
 * possible, so that its last part still waits in the proxy.
 */
async function longestUnread(scope: Scope, proxy: TestProxy, requestFor: (size: number) => string) {
  const idle = (): boolean => Object.values(proxy.active()).every((count) => count === 0)
  const ask = async (size: number): Promise<Socket | null> => {
    const socket = connect(proxy.port, '127.0.0.1')
    socket.on('error', () => {})
    scope.defer(() => socket.destroy())
    socket.pause()
    socket.write(requestFor(size))
    await until('the request is at work', () => !idle())
    const giveUpAt = performance.now() + 60
    await until('it is over or stuck', () => idle() || performance.now() > giveUpAt)
    if (idle()) return socket
    socket.destroy()
    await until('it is given up', idle)
    return null
  }
  let low = { size: 0, socket: null as Socket | null }
  let high = 16 * MIB
  while (high - low.size > 16_384 || low.socket === null) {
    const size = (low.size + high) >> 1
    const socket = await ask(size)
    if (socket === null) high = size
    else {
      low.socket?.destroy()
      low = { size, socket }
    }
  }
  return { size: low.size, socket: low.socket }
}

for (const [what, requestFor, sleepMs] of [
  ['Connection: close', (size) => `GET /${size} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n`, 2500],
  ['HTTP/1.0, ended by FIN', (size) => `GET /${size}/until-close HTTP/1.0\r\n\r\n`, 2500],
  ['keep-alive', (size) => `GET /${size} HTTP/1.1\r\nHost: t\r\n\r\n`, 0],
] as const satisfies readonly (readonly [string, (size: number) => string, number])[]) {
  leakTest(`a slow client gets its answer whole, however long ago the backend was done (${what})`, async (scope) => {
    const proxy = scope.use(await startProxy([await sized(scope)]))
    const { size, socket } = await longestUnread(scope, proxy, requestFor)
    const awakeAt = performance.now() + sleepMs
    await until('the client wakes up', () => performance.now() > awakeAt)
    const parts: Buffer[] = []
    let got = 0
    let over = false
    socket.on('close', () => {
      over = true
    })
    socket.on('data', (bytes: Buffer) => {
      got += bytes.length
      parts.push(bytes)
    })
    socket.resume()
    await until('the answer is over', () => over || (what === 'keep-alive' && got > size + 50))
    const answer = Buffer.concat(parts)
    assertSameBytes(answer.subarray(answer.indexOf('\r\n\r\n') + 4), Buffer.alloc(size, 'slow '))
  })
}

// --- constant memory ---

const bulkBytes = process.env.CI === 'true' || process.env.FRONTDESK_BULK === '1' ? 1024 * MIB : 256 * MIB
const EXTRA_RSS = 64 * MIB
/** With plain streams the collector decides when memory comes back; there it only has to be bounded. */
const extraRss = process.env.FRONTDESK_PLAIN_SOCKETS === '1' ? 3 * EXTRA_RSS : EXTRA_RSS

leakTest(`${bulkBytes / MIB} MiB up and down go through a proxy that grows by less than 64 MiB`, async (scope) => {
  const block = Buffer.alloc(256 * 1024, 'frontdesk')
  const server = createServer((req, res) => {
    if (req.method === 'GET') {
      res.setHeader('content-length', bulkBytes)
      void feed(res)
      return
    }
    let length = 0
    req.on('data', (bytes: Buffer) => {
      length += bytes.length
    })
    req.on('end', () => res.end(String(length)))
  })
  async function feed(res: ServerResponse): Promise<void> {
    for (let left = bulkBytes; left > 0; left -= block.length) if (!res.write(block)) await once(res, 'drain')
    res.end()
  }
  const child = scope.use(await startProxyProcess())
  const port = await child.start([await listening(scope, server)])
  const client = await RawClient.open(port)
  assert.equal((await client.request('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nhi', 'POST')).status, 200)
  await client.close()
  const { rss } = await child.memory()

  const download = connect(port, '127.0.0.1')
  scope.defer(() => download.destroy())
  download.write('GET / HTTP/1.1\r\nHost: t\r\n\r\n')
  let got = 0
  download.on('data', (bytes: Buffer) => {
    got += bytes.length
  })
  await until('the download is complete', () => got > bulkBytes, 60_000)
  const afterDownload = (await child.memory()).maxRss - rss
  assert.ok(afterDownload < extraRss, `grew by ${afterDownload} bytes in the download`)

  for (const chunked of [false, true]) {
    const upload = scope.use(await RawClient.open(port))
    const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bulkBytes}`
    upload.write(`POST / HTTP/1.1\r\nHost: t\r\n${framing}\r\n\r\n`)
    if (chunked) {
      const coded = Buffer.concat([Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from('\r\n')])
      await pump(upload.socket, (bulkBytes / block.length) * coded.length, coded).done
      upload.write('0\r\n\r\n')
    } else await pump(upload.socket, bulkBytes, block).done
    const reply = await within('the upload to be answered', upload.reply('POST', 60_000), 60_000)
    assert.equal(reply.body.toString(), String(bulkBytes))
  }
  const afterUpload = (await child.memory()).maxRss - rss
  assert.ok(afterUpload < extraRss, `grew by ${afterUpload} bytes in all`)
})
