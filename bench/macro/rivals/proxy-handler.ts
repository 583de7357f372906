// proxyHandler in a server of node:http, one thread. Arguments: port, backend URL.
import { createServer } from 'node:http'
import { proxyHandler } from '../../../src/embed/proxy-handler.ts'

const [port, backend = ''] = process.argv.slice(2)
const proxy = proxyHandler({ pools: { default: { backends: [backend] } } })
await proxy.ready
const server = createServer(proxy)
server.keepAliveTimeout = 75_000
server.listen(Number(port), '127.0.0.1')
