import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { it } from 'node:test'
import { OpenAPIHono } from '@hono/zod-openapi'
import { within } from '../../../test/support/wait.ts'
import type { AdminApp } from './app.ts'
import { AdminServer } from './server.ts'

it('does not let a slow client hold a connection for ever', async () => {
  const server = await AdminServer.listen(new OpenAPIHono(), { host: '127.0.0.1', port: 0, headersTimeoutMs: 400 })
  const socket = connect(server.address())
  socket.write('GET /status HT')
  assert.match(await within('the end', text(socket)), /^HTTP\/1\.1 408 /)
  await server.close()
})

it('does not let a body that drips hold one either', async () => {
  const app: AdminApp = new OpenAPIHono()
  app.post('/', async (c) => c.text(await c.req.text().catch(() => '')))
  const server = await AdminServer.listen(app, { host: '127.0.0.1', port: 0, headersTimeoutMs: 50 })
  const socket = connect(server.address())
  socket.on('error', () => undefined)
  // Writing to what is closed is an error here, and nothing to wait for.
  const closed = new Promise<void>((resolve) => socket.resume().on('close', () => resolve()))
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n')
  const drip = setInterval(() => socket.write('x'), 5)
  await within('the end', closed).finally(() => clearInterval(drip))
  await server.close()
})

it('rejects with the code of the system when the address is taken', async () => {
  const server = await AdminServer.listen(new OpenAPIHono(), { host: '127.0.0.1', port: 0 })
  const again = AdminServer.listen(new OpenAPIHono(), server.address())
  await assert.rejects(again, { code: 'EADDRINUSE' })
  await server.close()
})

it('closes at once what is still open after its grace', async () => {
  const app: AdminApp = new OpenAPIHono()
  app.get('/never', () => new Promise<Response>(() => undefined))
  const server = await AdminServer.listen(app, { host: '127.0.0.1', port: 0 })
  const socket = connect(server.address())
  socket.write('GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const closed = once(socket.resume(), 'close')
  await once(socket, 'connect')
  await within('the close', server.close(10))
  await within('the socket', closed)
})
