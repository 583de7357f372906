// Four chat servers behind one address. Whoever comes back gets the same server (sticky by cookie); what is said in a
// room is heard there by all, whichever server they are at.
import { EventEmitter, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createFrontdesk } from 'frontdesk'
import { WebSocketServer } from 'ws'

/** Carries what is said from server to server: here within a process, elsewhere Redis or the like. */
const rooms = new EventEmitter()

/** One chat server; its URL. */
async function chatServer(name: string): Promise<string> {
  const visits = new Map<string, number>()
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (socket, { url = '/' }) => {
    const { pathname: room, searchParams } = new URL(url, 'ws://chat')
    const who = searchParams.get('name') ?? 'somebody'
    const visit = (visits.get(who) ?? 0) + 1
    visits.set(who, visit)
    socket.send(`${name}: hello ${who}, visit ${visit}`)
    const hear = (text: string): void => socket.send(text)
    rooms.on(room, hear)
    socket.on('message', (text) => rooms.emit(room, `${who} at ${name}: ${text}`))
    socket.on('close', () => rooms.off(room, hear))
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const proxy = await createFrontdesk({
  port: Number(process.env.PORT ?? 8080),
  backends: await Promise.all(['anna', 'bert', 'carl', 'dora'].map(chatServer)),
  sticky: { by: 'cookie' },
})
await proxy.start()
console.log(`ws://localhost:${proxy.listeners[0]?.port}/lobby?name=you`)
