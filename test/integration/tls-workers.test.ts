// TLS in the whole program, with worker threads: sessions are good on every worker.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import tls from 'node:tls'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { makeAuthority } from '../support/certificates.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { skipWithout } from '../support/peers.ts'
import { startProxy, type TestProxy } from '../support/proxy.ts'
import { until, within } from '../support/wait.ts'

const skip = skipWithout('openssl')

async function stand(scope: Scope): Promise<{ proxy: TestProxy; backend: ActingBackend; ca: string }> {
  const authority = await makeAuthority()
  scope.defer(() => authority.remove())
  const { certPath, keyPath } = await authority.issue()
  const backend = scope.use(await startActingBackend())
  const certificates = [{ cert: certPath, key: keyPath }]
  const listeners = [{ name: 'test', listen: '127.0.0.1:1', tls: { certificates } }]
  const proxy = scope.use(await startProxy([backend.url], { workers: 2, config: { listeners } }))
  return { proxy, backend, ca: authority.pem }
}

leakTest(
  'a session is resumed on whatever worker the kernel gives the connection to',
  async (scope) => {
    const { proxy, ca } = await stand(scope)
    const open = async (session: Buffer | null): Promise<{ socket: tls.TLSSocket; next: Buffer }> => {
      const options = { port: proxy.port, host: '127.0.0.1', servername: 'localhost', ca }
      const socket = tls.connect({ ...options, ...(session !== null && { session }) })
      scope.defer(() => socket.destroy())
      const ticket = once(socket, 'session')
      await within('the handshake', once(socket, 'secureConnect'))
      const [next] = (await within('a ticket', ticket)) as [Buffer]
      return { socket, next }
    }
    let { next } = await open(null)
    for (let i = 0; i < 24; i++) {
      const visit = await open(next)
      assert.equal(visit.socket.isSessionReused(), true, `connection ${i}`)
      next = visit.next
    }
    // All are still open: both workers have some.
    await until('both workers have connections', () =>
      proxy.running.status().workers.every(({ connections }) => connections > 0),
    )
    const rows = proxy.running.state.listenerTotals(0).handshakes
    assert.equal(rows.find(({ version, resumed }) => version === 'TLSv1.3' && resumed)?.count, 24)
  },
  { skip },
)
