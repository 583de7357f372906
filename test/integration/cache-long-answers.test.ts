// Long answers from the cache, and clients that do not take them.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type CacheStand, cacheStand } from '../support/cache-stand.ts'
import { leakTest } from '../support/leaks.ts'
import { until } from '../support/wait.ts'

const size = 8_000_000
const idleMs = 250

async function standWithLongAnswer(): Promise<CacheStand> {
  const stand = await cacheStand(true, { config: { limits: { idle_timeout: `${idleMs}ms` } } })
  const body = Buffer.alloc(size)
  for (let at = 0; at < size; at += 4) body.writeInt32LE(at, at)
  stand.answer((_request, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=60', 'Content-Length': size })
    response.end(body)
  })
  assert.ok((await stand.get('/long')).body.equals(body))
  return stand
}

/** Of all entries. */
function hits({ cache }: CacheStand): number {
  let sum = 0
  cache.list((entry) => {
    sum += entry.hits
    return true
  })
  return sum
}

/** A connection that has asked, and reads nothing by itself. */
async function ask(stand: CacheStand): Promise<Socket> {
  const socket = connect(stand.proxy.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`GET /long HTTP/1.1\r\nHost: 127.0.0.1:${stand.proxy.port}\r\nConnection: close\r\n\r\n`)
  return socket
}

leakTest('all of it comes, piece by piece in its order, on one connection again and again', async () => {
  await using stand = await standWithLongAnswer()
  const whole = (await stand.get('/long')).body
  for (let at = 0; at < size; at += 4) if (whole.readInt32LE(at) !== at) assert.fail(`wrong bytes at ${at}`)
  const part = await stand.get('/long', { Range: 'bytes=65535-1200001' })
  assert.deepEqual([part.status, part.body.equals(whole.subarray(65_535, 1_200_002))], [206, true])
  assert.equal(stand.asked.length, 1)
})

leakTest('who takes nothing of it is cut off, and what it held is given back', async () => {
  await using stand = await standWithLongAnswer()
  const socket = await ask(stand)
  socket.pause()
  await until('it is being served', () => hits(stand) > 0)
  stand.cache.purge({ kind: 'all' }, false)
  const whole = stand.cache.totals().used
  assert.equal(stand.cache.totals().entries, 0)
  await until('its memory is free', () => stand.cache.totals().used <= whole - size)
  socket.destroy()
})
