// What a backend is told about the client comes from us, or from a hop we were told to trust; never from a stranger.
import assert from 'node:assert/strict'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { startProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'

type Fields = readonly (readonly [string, string])[]

async function arriving(scope: Scope, config: Record<string, string[]> = {}) {
  const backend: ActingBackend = scope.use(await startActingBackend())
  const proxy = scope.use(await startProxy([backend.url], { config }))
  /** The fields that reach the backend when a client sends these lines. */
  return async (...lines: string[]): Promise<Fields> => {
    const client = scope.use(await RawClient.open(proxy.port))
    const reply = await client.request(
      `GET / HTTP/1.1\r\nHost: t.example\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`,
    )
    assert.equal(reply.status, 200, lines.join(', '))
    return backend.requests.at(-1)?.fields ?? []
  }
}

const value = (fields: Fields, name: string): string | undefined =>
  fields
    .filter(([other]) => other.toLowerCase() === name)
    .map(([, text]) => text)
    .join(' | ') || undefined

/** What the proxy sets on every request it forwards, and what it must be for a client on the loopback address. */
const generated: readonly (readonly [string, RegExp])[] = [
  ['x-forwarded-for', /^127\.0\.0\.1$/],
  ['x-forwarded-host', /^t\.example$/],
  ['x-forwarded-proto', /^http$/],
  ['x-request-id', /^[!-~]{8,}$/],
  ['via', /^1\.1 \S+/],
]

for (const [name, expected] of generated) {
  leakTest(`CVE-2024-45410, CVE-2022-31813, CVE-2026-33805: Connection: ${name} does not remove it`, async (scope) => {
    const send = await arriving(scope)
    assert.match(value(await send(`Connection: ${name}`), name) ?? 'missing', expected)
    assert.match(value(await send(`Connection: close, ${name.toUpperCase()}`), name) ?? 'missing', expected)
  })
}

/** Names by which origins learn who asks; the client's own values must not survive. */
const trusted = [
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Forwarded-Server',
  'X-Real-IP',
  'Forwarded',
  'X-Request-Id',
]

for (const name of trusted) {
  leakTest(`CVE-2026-30851: the client's ${name} is deleted whether or not we set one`, async (scope) => {
    const send = await arriving(scope)
    const fields = await send(`${name}: for-a-stranger`, `${name.toLowerCase()}: for-a-stranger`)
    assert.ok(!fields.some(([, text]) => text.includes('for-a-stranger')), JSON.stringify(fields))
  })

  leakTest(`CVE-2026-52845: nor does ${name} survive under an alias with underscores`, async (scope) => {
    const send = await arriving(scope)
    const aliases = [name.replaceAll('-', '_'), name.replace('-', '_'), name.toUpperCase().replaceAll('-', '_')]
    const fields = await send(
      ...aliases.filter((alias) => alias.includes('_')).map((alias) => `${alias}: for-a-stranger`),
    )
    assert.ok(!fields.some(([, text]) => text.includes('for-a-stranger')), JSON.stringify(fields))
  })
}

leakTest('CVE-2026-52845: other names with underscores pass', async (scope) => {
  const send = await arriving(scope)
  assert.equal(value(await send('my_field: 1'), 'my_field'), '1')
})

const claims = [
  'X-Forwarded-For: 203.0.113.7',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: public.example',
  'X-Request-Id: abc-123-xyz',
]

leakTest(
  'CVE-2026-3635: one decision for all forwarding fields: a stranger is believed in none of them',
  async (scope) => {
    const send = await arriving(scope, { trusted_proxies: ['10.0.0.0/8'] })
    const fields = await send(...claims)
    assert.equal(value(fields, 'x-forwarded-for'), '127.0.0.1')
    assert.equal(value(fields, 'x-forwarded-proto'), 'http')
    assert.equal(value(fields, 'x-forwarded-host'), 't.example')
    assert.notEqual(value(fields, 'x-request-id'), 'abc-123-xyz')
  },
)

leakTest('CVE-2026-3635: a trusted hop is believed in all of them, and its address is added', async (scope) => {
  const send = await arriving(scope, { trusted_proxies: ['127.0.0.0/8'] })
  const fields = await send(...claims)
  assert.match(value(fields, 'x-forwarded-for') ?? '', /^203\.0\.113\.7, ?127\.0\.0\.1$/)
  assert.equal(value(fields, 'x-forwarded-proto'), 'https')
  assert.equal(value(fields, 'x-forwarded-host'), 'public.example')
  assert.equal(value(fields, 'x-request-id'), 'abc-123-xyz')
})

leakTest(
  'GHSA-x76f-jf84-rqj8: Host reaches the backend as it came, and X-Forwarded-Host says the same',
  async (scope) => {
    const backend = scope.use(await startActingBackend())
    const proxy = scope.use(await startProxy([backend.url]))
    for (const host of ['T.Example', 't.example.', 't.example:8080', '[::1]:80']) {
      const client = scope.use(await RawClient.open(proxy.port))
      assert.equal((await client.request(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).status, 200, host)
      const fields = backend.requests.at(-1)?.fields ?? []
      assert.equal(value(fields, 'host'), host)
      assert.equal(value(fields, 'x-forwarded-host'), host)
    }
  },
)
