// Error answers through a real proxy: the form that is asked for, and who is told of the inside.
import assert from 'node:assert/strict'
import { fieldValue } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { get } from '../support/messages.ts'
import { refusingPort } from '../support/ports.ts'
import { type ProxyOptions, startProxy } from '../support/proxy.ts'
import { RawClient, type Reply } from '../support/raw-client.ts'

async function failing(scope: Scope, config: ProxyOptions['config'] = {}) {
  const port = await refusingPort()
  const proxy = scope.use(await startProxy([`http://127.0.0.1:${port}`], { config }))
  const client = scope.use(await RawClient.open(proxy.port))
  const ask = (fields: Record<string, string> = {}): Promise<Reply> => client.request(get('/', fields))
  return { port, client, ask }
}

/** A client elsewhere, as a trusted proxy tells of it. */
const outside = { 'X-Forwarded-For': '192.0.2.1' }
const trusting = { trusted_proxies: ['127.0.0.0/8'] }

leakTest('text, a page or a problem document, as it is asked for', async (scope) => {
  const { ask } = await failing(scope)
  for (const [accept, type] of [
    ['', 'text/plain; charset=utf-8'],
    ['*/*', 'text/plain; charset=utf-8'],
    ['text/html,*/*;q=0.8', 'text/html; charset=utf-8'],
    ['application/json', 'application/problem+json'],
  ] as const) {
    const reply = await ask(accept === '' ? {} : { Accept: accept })
    assert.deepEqual([reply.status, fieldValue(reply, 'content-type')], [503, type])
    assert.equal(fieldValue(reply, 'cache-control'), 'no-store')
    assert.ok(reply.body.includes(fieldValue(reply, 'x-request-id')!))
  }
  const document = JSON.parse((await ask({ Accept: 'application/json' })).body.toString()) as Record<string, unknown>
  assert.deepEqual([document.status, document.title, document.error], [503, 'Service Unavailable', 'connect_refused'])
})

leakTest('several fields are one list; a HEAD gets the length of what a GET would get', async (scope) => {
  const { client, ask } = await failing(scope)
  const two = 'GET / HTTP/1.1\r\nHost: t\r\nAccept: image/png\r\nAccept: text/html\r\n\r\n'
  assert.match(fieldValue(await client.request(two), 'content-type')!, /html/)
  const page = await ask({ Accept: 'text/html' })
  const head = await client.request(get('/', { Accept: 'text/html' }).replace('GET', 'HEAD'), 'HEAD')
  assert.equal(fieldValue(head, 'content-length'), String(page.body.length))
  assert.equal(head.body.length, 0)
})

leakTest('this machine is told of route, pool, backend and why; nobody else is', async (scope) => {
  const routes = [{ name: 'innermost', match: '*', pool: 'default' }]
  const { port, ask } = await failing(scope, { ...trusting, routes })
  const secrets = (reply: Reply): string[] =>
    ['innermost', String(port), 'ECONNREFUSED', 'connect_refused'].filter((secret) => reply.raw.includes(secret))
  for (const accept of ['text/plain', 'text/html', 'application/json']) {
    assert.equal(secrets(await ask({ Accept: accept })).length, 4, accept)
    assert.deepEqual(secrets(await ask({ Accept: accept, ...outside })), [], accept)
  }
  const reply = await ask(outside)
  assert.equal(fieldValue(reply, 'proxy-status'), 'frontdesk; error=connection_refused')
  assert.match(
    reply.body.toString(),
    /^503 Service Unavailable\nThe service is not available at the moment\.\nTry again/,
  )
})

leakTest('a proxy on this machine that is not declared opens the inside to nobody', async (scope) => {
  const { port, ask } = await failing(scope)
  for (const fields of [outside, { Via: '1.1 other' }, { Forwarded: 'for=127.0.0.1' }]) {
    assert.ok(!(await ask(fields)).raw.includes(String(port)))
  }
})

leakTest('error_details: never tells nobody', async (scope) => {
  const { port, ask } = await failing(scope, { error_details: 'never' })
  const reply = await ask()
  assert.ok(!reply.raw.includes(String(port)) && !reply.raw.includes('ECONNREFUSED'))
})

leakTest('a configured page is sent as it is, without the policy of ours', async (scope) => {
  const page = { status: 503, body: '<h1 style="color:red">sorry</h1>', content_type: 'text/html' }
  const routes = [{ name: 'all', match: '*', pool: 'default', error_pages: [page] }]
  const reply = await (await failing(scope, { routes })).ask({ Accept: 'text/html' })
  assert.equal(reply.body.toString(), page.body)
  assert.equal(fieldValue(reply, 'content-security-policy'), undefined)
})
