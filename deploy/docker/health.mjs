// Whether this container's Frontdesk is ready: for HEALTHCHECK. Exit code 0 or 1, and the reason.
// FRONTDESK_HEALTH_URL names another place than the default admin address.
import { get as getPlain } from 'node:http'
import { get as getSecure } from 'node:https'

const url = new URL(process.env.FRONTDESK_HEALTH_URL ?? 'http://127.0.0.1:8081/readyz')
const get = url.protocol === 'https:' ? getSecure : getPlain

// The certificate is for the names that operators use; nothing is sent that it would have to protect.
const request = get(url, { rejectUnauthorized: false, timeout: 4000 }, (response) => {
  response.resume()
  const isReady = response.statusCode === 200
  process.stdout.write(isReady ? 'ready\n' : `not ready: status ${response.statusCode}\n`)
  process.exitCode = isReady ? 0 : 1
})
request.on('timeout', () => request.destroy(new Error('no answer in 4 s')))
request.on('error', (error) => {
  process.stdout.write(`no answer from ${url.origin}: ${error.message}\n`)
  process.exitCode = 1
})
