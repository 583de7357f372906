// The wire of clear text by itself: its buffers, its goodbye, and engines that fail under it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { haveOpenssl, makeCertificates } from '../../test/support/certificates.ts'
import { leakTest, type Scope } from '../../test/support/leaks.ts'
import { refusingPort } from '../../test/support/ports.ts'
import { deferred, until, within } from '../../test/support/wait.ts'
import { Acceptor } from './acceptor.ts'
import { native } from './native.ts'
import { giveBuffer, takeBuffer } from './read-buffers.ts'
import { type Secured, startHandshake } from './tls/server-handshake.ts'
import type { Wire, WireEvents } from './wire.ts'

const skip = (await haveOpenssl()) ? false : 'openssl is not installed'
const certificates = skip === false ? await makeCertificates() : null
test.after(() => certificates?.remove())

/** What happens on a wire, as a list; the handlers can be replaced. */
class Log implements WireEvents {
  readonly calls: string[] = []
  received: Buffer = Buffer.alloc(0)
  readonly closed = deferred<NodeJS.ErrnoException | null>()
  data: (bytes: Buffer, length: number) => void = () => {}

  onData(bytes: Buffer, length: number): void {
    this.received = Buffer.concat([this.received, bytes.subarray(0, length)])
    this.calls.push('data')
    this.data(bytes, length)
  }

  onEnd(): void {
    this.calls.push('end')
  }

  onDrain(): void {
    this.calls.push('drain')
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    this.calls.push('close')
    this.closed.resolve(error)
  }

  onFault(error: unknown): void {
    this.closed.reject(error)
  }
}

interface Pair {
  readonly wire: Wire
  readonly log: Log
  readonly client: tls.TLSSocket
  /** Under `client`. */
  readonly raw: net.Socket
}

/** A client whose handshake is done, and the wire of its server. `begin` is called within the server's last step. */
async function pair(
  scope: Scope,
  options: tls.ConnectionOptions = {},
  begin = (_wire: Wire) => {},
  secured = (_client: tls.TLSSocket, _raw: net.Socket) => {},
): Promise<Pair> {
  const { cert, key, ca } = certificates!
  const context = tls.createSecureContext({ cert, key })
  const log = new Log()
  const opened = deferred<Wire>()
  const port = await refusingPort()
  const acceptor = new Acceptor()
  acceptor.serve({
    accept: (accepted) => {
      const wire = accepted.open({
        onData(bytes, length) {
          const hello = Buffer.from(bytes.subarray(0, length))
          startHandshake(
            wire.detach(),
            hello,
            { context, alpn: null, clientAuth: 'none' },
            {
              onSecured(secured: Secured) {
                const made = secured.open(log)
                begin(made)
                opened.resolve(made)
              },
              onHandshakeFailed: (reason, detail) => opened.reject(new Error(`${reason} ${detail}`)),
            },
          )
        },
        onEnd() {},
        onDrain() {},
        onClose() {},
        onFault: (error) => opened.reject(error),
      })
    },
    acceptFailed() {},
  })
  await acceptor.listen({ host: '127.0.0.1', port, reusePort: false })
  scope.defer(() => acceptor.close())
  const raw = net.connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  const client = tls.connect({ socket: raw, servername: 'localhost', ca, ...options })
  client.on('error', () => {}).on('secureConnect', () => secured(client, raw))
  scope.defer(() => {
    client.destroy()
    raw.destroy()
  })
  const [wire] = await within('the handshake', Promise.all([opened.promise, once(client, 'secureConnect')]))
  scope.defer(() => wire.destroy())
  return { wire, log, client, raw }
}

leakTest(
  'a buffer of its own is not given away while the engine reads into it',
  async (scope) => {
    const { wire, log, client } = await pair(scope)
    let reads = 0
    // Three records in one read: the second lies in a buffer of the wire's own, the third is held while it pauses.
    log.data = () => {
      reads++
      if (reads === 1) wire.useOwnBuffer()
      else if (reads === 2) wire.pause()
      else wire.releaseOwnBuffer(false)
    }
    client.setMaxSendFragment(512)
    client.write(Buffer.alloc(1500, 'x'))
    await until('it pauses', () => wire.paused)
    assert.equal(reads, 2)
    wire.resume()
    await until('all has come', () => log.received.length === 1500)
    const others = Array.from({ length: 8 }, () => takeBuffer().fill('A'))
    client.write('of this wire alone')
    await until('it has come', () => log.received.length > 1500)
    for (const other of others) {
      assert.equal(other.indexOf('of this wire'), -1)
      giveBuffer(other)
    }
    assert.equal(log.received.toString('latin1', 1500), 'of this wire alone')
  },
  { skip },
)

/** A client that resets its connection right behind its last handshake message: session tickets cannot be sent any more. */
async function resetting(scope: Scope): Promise<Pair> {
  const made = await pair(
    scope,
    { minVersion: 'TLSv1.3' },
    (wire) => wire.pause(),
    (client, raw) => {
      client.write('request')
      setImmediate(() => raw.resetAndDestroy())
    },
  )
  await new Promise((resolve) => setImmediate(resolve))
  return made
}

leakTest(
  'a wire under which the engine has failed closes when it is told to, with a large write in flight too',
  async (scope) => {
    const { wire, log } = await resetting(scope)
    wire.writeBytes(Buffer.alloc(20_000))
    await new Promise((resolve) => setImmediate(resolve))
    wire.destroy()
    await within('onClose', log.closed.promise)
  },
  { skip },
)

leakTest(
  'a large write under which the engine has failed is an error, not a wait',
  async (scope) => {
    const { wire, log } = await resetting(scope)
    wire.resume()
    await until('the reset shows', () => log.calls.includes('end') || log.calls.includes('close'))
    wire.writeBytes(Buffer.alloc(20_000))
    assert.notEqual(await within('onClose', log.closed.promise), null)
  },
  // A TLS socket waits too; deadlines end it.
  { skip: native === null ? 'of wires on bare handles only' : skip },
)

leakTest(
  'where our side has ended first, the end of the other is told before the wire closes',
  async (scope) => {
    const { wire, log, client } = await pair(scope)
    wire.end()
    client.resume()
    await within('our end', once(client, 'end'))
    wire.pause()
    client.end('last words')
    await once(client, 'finish')
    await new Promise((resolve) => setImmediate(resolve))
    wire.resume()
    assert.equal(await within('onClose', log.closed.promise), null)
    assert.equal(log.received.toString(), 'last words')
    assert.deepEqual(log.calls, ['data', 'end', 'close'])
  },
  { skip },
)
