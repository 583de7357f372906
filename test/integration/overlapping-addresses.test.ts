// Addresses that have others in common: while a listener goes from one to another, and where that is given up, clients of what
// both take in are served as ever.
import assert from 'node:assert/strict'
import { startActingBackend } from '../support/acting-backend.ts'
import { listenerSpec } from '../support/control-kit.ts'
import { CrewStand } from '../support/crew-stand.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { get } from '../support/messages.ts'
import { refusingPort } from '../support/ports.ts'
import { RawClient } from '../support/raw-client.ts'
import { until } from '../support/wait.ts'

async function stand(scope: Scope, workers: number, host: string) {
  const backend = scope.use(await startActingBackend({ name: 'a' }))
  const web = listenerSpec({ name: 'web', row: 0, host, port: await refusingPort() })
  const made = await CrewStand.start(scope, { workers, listeners: [web], httpPort: backend.port })
  return { made, web }
}

/** So many connections that each of several sockets would have got some. */
async function serves(port: number): Promise<void> {
  const answers = await Promise.all(Array.from({ length: 24 }, () => ask(port)))
  assert.deepEqual(new Set(answers.map(({ status, error }) => error || String(status))), new Set(['200']))
}

const pairs = [
  ['', '127.0.0.1'],
  ['', '::'],
  ['', '0.0.0.0'],
  ['0.0.0.0', '127.0.0.1'],
  ['127.0.0.1', 'localhost'],
] as const

for (const workers of [2, 0]) {
  for (const pair of pairs) {
    for (const [from, to] of [pair, [pair[1], pair[0]]] as const) {
      leakTest(`${workers} workers, from ${from || '*'} to ${to || '*'}: given up, and in force`, async (scope) => {
        const { made, web } = await stand(scope, workers, from)
        // 'localhost' may be ::1 here.
        const isServed = (await ask(web.port)).status === 200
        if (!isServed) return
        const moved = [{ ...web, host: to }]
        const given = await made.prepare({ listeners: moved })
        await serves(web.port)
        await given.abandon()
        await serves(web.port)
        const prepared = await made.prepare({ listeners: moved })
        const clients = await Promise.all(Array.from({ length: 24 }, () => RawClient.open(web.port)))
        for (const client of clients) scope.use(client).write(get('/'))
        await prepared.commit()
        for (const client of clients) assert.equal((await client.reply()).status, 200)
        assert.equal((await ask(web.port, { host: to === 'localhost' ? to : '127.0.0.1' })).status, 200)
      })
    }
  }
}

leakTest('who comes to an address that is new with a wider one waits until it is in force', async (scope) => {
  const { made, web } = await stand(scope, 2, '127.0.0.1')
  const prepared = await made.prepare({ listeners: [{ ...web, host: '' }] })
  let answered = false
  const early = ask(web.port, { host: '127.0.0.2' }).finally(() => {
    answered = true
  })
  await serves(web.port)
  await until('who was served is gone, and nobody has accepted the other', () => made.active(0) === 0)
  assert.equal(answered, false)
  await prepared.commit()
  assert.equal((await early).status, 200)
})

leakTest('a change that is ready when a drain begins leaves no socket behind', async (scope) => {
  const { made, web } = await stand(scope, 0, '127.0.0.1')
  const more = listenerSpec({ name: 'more', row: 1, port: await refusingPort() })
  const prepared = await made.prepare({ listeners: [web, more] })
  const waiting = scope.use(await RawClient.open(more.port))
  const drained = made.crew.drain()
  await prepared.commit()
  assert.match(await waiting.ended(), /fin|rst/)
  await drained
  assert.equal((await ask(more.port)).error, 'ECONNREFUSED')
})
