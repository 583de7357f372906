import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { haveOpenssl, makeCertificates } from '../../../test/support/certificates.ts'
import { leakTest, type Scope } from '../../../test/support/leaks.ts'
import { until, within } from '../../../test/support/wait.ts'
import { Doorkeeper, type DoorkeeperOptions } from './doorkeeper.ts'

/** A server behind a door that keeps what it is given. */
async function behindDoor(scope: Scope, options: DoorkeeperOptions) {
  const door = new Doorkeeper(options)
  const served: Socket[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    door.take(socket, (ready) => served.push(ready))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => {
    server.close()
    for (const socket of served) socket.destroy()
  })
  const { port } = server.address() as { port: number }
  const open = async (): Promise<Socket> => {
    const before = served.length
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    scope.defer(() => socket.destroy())
    await once(socket, 'connect')
    await until('it is there', () => served.length > before || door.count > 0)
    return socket
  }
  return { door, served, port, open }
}

leakTest('who holds many connections loses them before somebody else loses one', async (scope) => {
  const { door, served, port } = await behindDoor(scope, { maxConnections: 4 })
  const open = async (localAddress: string): Promise<Socket> => {
    const before = served.length
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    socket.on('error', () => undefined)
    scope.defer(() => socket.destroy())
    await until('it is served', () => served.length > before)
    return socket.resume()
  }
  const mine = await open('127.0.0.1')
  for (let i = 0; i < 20; i++) await open('127.0.0.2')
  assert.equal(door.count, 4)
  assert.ok(!mine.destroyed && mine.readyState === 'open')
})

leakTest('of too many the oldest that has shown nothing goes; guests stay', async (scope) => {
  const { door, served, open } = await behindDoor(scope, { maxConnections: 3 })
  const sockets: Socket[] = []
  for (let i = 0; i < 3; i++) {
    sockets.push(await open())
    await until('it is served', () => served.length === i + 1)
  }
  door.welcome(served[0]!)
  const closed = once(sockets[1]!.resume(), 'close')
  sockets.push(await open())
  await within('the second', closed)
  assert.equal(door.count, 3)
  assert.ok(!sockets[0]!.destroyed)
  // Where all are guests the newcomer has to come again.
  await until('all are served', () => served.length === 4)
  for (const one of served) door.welcome(one)
  const turnedAway = await open()
  await within('the newcomer', once(turnedAway.resume(), 'close'))
  assert.equal(door.count, 3)
})

const skip = (await haveOpenssl()) ? false : 'not installed: openssl'

leakTest(
  'a handshake that is never finished ends, and what is no TLS is not served',
  async (scope) => {
    const { cert, key, ca, remove } = await makeCertificates()
    scope.defer(remove)
    const { door, served, port, open } = await behindDoor(scope, { handshakeTimeoutMs: 1_000 })
    door.update({ cert, key, clientAuth: null })
    const silent = await open()
    await within('the end of the silent one', once(silent.resume(), 'close'))
    const plain = await open()
    plain.write('GET / HTTP/1.1\r\n\r\n')
    await within('the end of the plain one', once(plain.resume(), 'close'))
    assert.equal(served.length, 0)
    const secure = connectTls({ port, host: '127.0.0.1', ca })
    scope.defer(() => secure.destroy())
    await once(secure, 'secureConnect')
    await until('it is served', () => served.length === 1)
    assert.throws(() => door.update({ cert, key: 'no key', clientAuth: null }))
    assert.equal(door.count, 1)
  },
  { skip },
)
