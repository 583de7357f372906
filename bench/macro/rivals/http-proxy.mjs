// http-proxy with kept-alive backend connections; node:cluster where more than one worker is asked for.
// Arguments: port, backend URL, workers.
import cluster from 'node:cluster'
import http from 'node:http'
import httpProxy from 'http-proxy'

const [port, target, workers] = process.argv.slice(2)

if (cluster.isPrimary && Number(workers) > 1) {
  for (let i = 0; i < Number(workers); i++) cluster.fork()
} else {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256 })
  const proxy = httpProxy.createProxyServer({ target, agent, xfwd: true })
  proxy.on('error', (_error, _request, response) => {
    if ('writeHead' in response && !response.headersSent) response.writeHead(502)
    response.end()
  })
  const server = http.createServer((request, response) => proxy.web(request, response))
  server.keepAliveTimeout = 75_000
  server.listen(Number(port), '127.0.0.1')
}
