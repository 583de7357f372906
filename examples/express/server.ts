// An Express program that passes what lies below /api on to two servers. Everything else stays its own.
import express from 'express'
import { proxyHandler } from 'frontdesk'

const { PORT = 8080, BACKENDS = 'http://localhost:8082 http://localhost:8083' } = process.env

const api = proxyHandler(
  {
    pools: { api: { backends: BACKENDS.split(' ') } },
    routes: [{ match: { path: '/api/*' }, pool: 'api', strip_prefix: '/api' }],
  },
  // Not what Express has left of it: WebSockets do not pass through Express.
  { url: 'original' },
)

const app = express()
app.get('/', (_request, response) => void response.send('Express says hello\n'))
app.use('/api', api)

const server = app.listen(PORT, () => console.log('listening', server.address()))
server.on('upgrade', api.upgrade)
