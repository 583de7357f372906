// A Fastify program that passes what lies below /api on to two servers. Everything else stays its own.
import { fastify } from 'fastify'
import { proxyHandler } from 'frontdesk'

const { PORT = 8080, BACKENDS = 'http://localhost:8082 http://localhost:8083' } = process.env

const api = proxyHandler({
  pools: { api: { backends: BACKENDS.split(' ') } },
  routes: [{ match: { path: '/api/*' }, pool: 'api', strip_prefix: '/api' }],
})

const app = fastify()
app.get('/', async () => 'Fastify says hello\n')
app.register(api.fastify, { prefix: '/api' })
app.addHook('onClose', () => api.close())

console.log('listening', await app.listen({ port: Number(PORT) }))
// WebSockets do not pass through Fastify.
app.server.on('upgrade', api.upgrade)
