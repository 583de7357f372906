// Before a proxy's speed is of interest: it has to give the right answers, and over TLS with the agreed parameters.
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { TLSSocket } from 'node:tls'
import { type Backend, bodyBytes } from './backend.ts'
import { type Certificate, tlsSuite } from './certificate.ts'

/** Below it the backend forbids storing. */
const privatePath = '/private/'

/** Where to ask; `certificate` is that of a server that speaks TLS, null for plain HTTP. */
export interface Asked {
  readonly port: number
  readonly certificate: Certificate | null
}

/** Throws unless the answer is 200 with exactly the body that the backend gives, over a kept connection and again. */
export async function checkAnswer(proxy: Asked, backendPort: number, path: string): Promise<void> {
  const expected = await fetchBody({ port: backendPort, certificate: null }, path)
  if (expected.body.length !== bodyBytes[path]) throw new Error(`backend: ${path} has ${expected.body.length} bytes`)
  for (let i = 0; i < 2; i++) {
    const answer = await fetchBody(proxy, path)
    if (answer.status !== 200) throw new Error(`${path}: status ${answer.status}`)
    if (!answer.body.equals(expected.body)) throw new Error(`${path}: wrong body (${answer.body.length} bytes)`)
  }
}

/**
 * Of a proxy with a cache that was asked for the path before: throws unless it answers without the backend and, where
 * it says anything of hits, calls that a hit; or, for what must not be stored, asks the backend each time.
 */
export async function checkCaching(proxy: Asked, backend: Backend, path: string, saysHit?: SaysHit): Promise<void> {
  const mayStore = !path.startsWith(privatePath)
  const before = await backend.requests()
  for (let i = 0; i < 3; i++) {
    const { fields } = await fetchBody(proxy, path)
    const isHit = saysHit?.(fields) ?? mayStore
    if (isHit !== mayStore)
      throw new Error(`${path}: ${isHit ? 'a' : 'no'} hit by its fields: ${JSON.stringify(fields)}`)
  }
  const asked = (await backend.requests()) - before
  if (asked !== (mayStore ? 0 : 3)) throw new Error(`${path}: the backend was asked ${asked} times for 3 answers`)
}

type SaysHit = (fields: http.IncomingHttpHeaders) => boolean

interface Answer {
  readonly status: number
  readonly fields: http.IncomingHttpHeaders
  readonly body: Buffer
}

function fetchBody({ port, certificate }: Asked, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, timeout: 5000 }
    const receive = (response: http.IncomingMessage) => {
      const chunks: Buffer[] = []
      if (certificate !== null) {
        const problem = tlsProblem(response.socket as TLSSocket)
        if (problem !== null) reject(new Error(problem))
      }
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, fields: response.headers, body: Buffer.concat(chunks) })
      })
      response.on('error', reject)
    }
    const request =
      certificate === null ? http.get(options, receive) : https.get({ ...options, ...trust(certificate) }, receive)
    request.on('timeout', () => request.destroy(new Error(`${path}: no answer in 5 s`)))
    request.on('error', reject)
  })
}

/** That certificate and no other; the group is the one for which wrk and the handshake load send a key at once. */
function trust({ certPath }: Certificate): https.RequestOptions {
  return { ca: readFileSync(certPath), servername: 'localhost', ecdhCurve: 'X25519' }
}

/** Node's client offers every suite of TLS 1.3, the agreed one not first: getting it is the proxy's own choice. */
function tlsProblem(socket: TLSSocket): string | null {
  const [protocol, { standardName }] = [socket.getProtocol(), socket.getCipher()]
  if (protocol === 'TLSv1.3' && standardName === tlsSuite) return null
  return `negotiated ${protocol} with ${standardName}, not TLSv1.3 with ${tlsSuite}`
}
