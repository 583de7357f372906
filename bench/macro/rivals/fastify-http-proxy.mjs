// @fastify/http-proxy with its default client (undici); node:cluster where more than one worker is asked for.
// Arguments: port, backend URL, workers.
import cluster from 'node:cluster'
import httpProxy from '@fastify/http-proxy'
import fastify from 'fastify'

const [port, upstream, workers] = process.argv.slice(2)

if (cluster.isPrimary && Number(workers) > 1) {
  for (let i = 0; i < Number(workers); i++) cluster.fork()
} else {
  const server = fastify({ logger: false, keepAliveTimeout: 75_000 })
  // It passes the backend's own Connection field on, and then closes a connection that it called kept alive.
  const rewriteHeaders = (headers) => {
    delete headers.connection
    delete headers['keep-alive']
    return headers
  }
  await server.register(httpProxy, { upstream, replyOptions: { rewriteHeaders } })
  await server.listen({ port: Number(port), host: '127.0.0.1' })
}
