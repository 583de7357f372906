// frontdesk/http-proxy, set up as http-proxy.mjs. Arguments: port, backend URL.
import { Agent, createServer } from 'node:http'
import { createProxyServer } from '../../../src/embed/http-proxy/index.ts'

const [port, target = ''] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256 })
const proxy = createProxyServer({ target, agent, xfwd: true })
const server = createServer((request, response) => proxy.web(request, response))
server.keepAliveTimeout = 75_000
server.listen(Number(port), '127.0.0.1')
