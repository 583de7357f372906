// Twenty changes of all kinds, by every way there is; each says afterwards whether it is in force at every worker.
import assert from 'node:assert/strict'
import { type CallAnswer, type Document, httpUrl, type Stage, tcpUrl } from './stage.ts'

export interface Change {
  readonly name: string
  /** The nth change; resolves once it is acknowledged and seen to be in force. */
  make(stage: Stage, n: number): Promise<void>
}

function done(answer: CallAnswer, ...good: number[]): Document {
  const expected = good.length === 0 ? [200] : good
  assert.ok(expected.includes(answer.status), `${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

const named = (list: readonly Document[], name: string): Document => list.find((one) => one.name === name)
const reload = async (stage: Stage): Promise<void> => {
  stage.save()
  done(await stage.call('POST', '/reload'))
}
const document = async (stage: Stage): Promise<Document> => done(await stage.call('GET', '/config'))

async function backend(stage: Stage, url: string): Promise<Document> {
  const list: Document[] = done(await stage.call('GET', '/backends'))
  return list.find((one) => one.url === url)
}

async function allSay(stage: Stage, path: string, body: string): Promise<void> {
  const answers = await stage.everywhere(path)
  assert.deepEqual(
    answers.filter((answer) => answer.body !== body),
    [],
    `not every worker says ${body} to ${path}`,
  )
}

async function noneSays(stage: Stage, path: string, body: string): Promise<void> {
  const answers = await stage.everywhere(path)
  assert.ok(
    !answers.some((answer) => answer.status !== 200 || answer.body === body),
    `somebody says ${body} to ${path}`,
  )
}

const strategies = ['least-conn', 'random', 'power-of-two', 'round-robin']

export const changes: readonly Change[] = [
  {
    name: 'a weight (PATCH /backends)',
    async make(stage, n) {
      const url = httpUrl(stage.servers.http[0]!)
      const weight = 1 + (n % 7)
      done(await stage.call('PATCH', '/backends', { url, pool: 'web', weight }))
      assert.equal((await backend(stage, url)).weight, weight)
    },
  },
  {
    name: 'a backend comes (POST /backends)',
    async make(stage) {
      const url = httpUrl(stage.servers.http[2]!)
      done(await stage.call('POST', '/backends', { url, pool: 'web', weight: 9 }), 201)
      const answers = await stage.everywhere('/', 40)
      assert.ok(answers.some(({ body }) => body === 'http-3'))
    },
  },
  {
    name: 'a TCP backend comes (POST /backends)',
    async make(stage) {
      const url = tcpUrl(stage.servers.tcp[2]!)
      done(await stage.call('POST', '/backends', { url, pool: 'echo' }), 201)
      assert.notEqual(await backend(stage, url), undefined)
    },
  },
  {
    name: 'a route changes (file, HUP)',
    async make(stage, n) {
      named(stage.file.routes, 'version').respond.body = `v${n}`
      stage.save()
      await stage.hangUp()
      await allSay(stage, '/version', `v${n}`)
    },
  },
  {
    name: 'a strategy (PATCH /config)',
    async make(stage, n) {
      const strategy = strategies[Math.floor(n / 20) % strategies.length]!
      done(await stage.call('PATCH', '/config', { pools: { web: { strategy } } }))
      assert.equal((await document(stage)).pools.web.strategy, strategy)
    },
  },
  {
    name: 'a backend goes (DELETE /backends)',
    async make(stage) {
      const url = httpUrl(stage.servers.http[2]!)
      done(await stage.call('DELETE', '/backends', { url, pool: 'web', drain: '5s' }), 200, 202)
      await noneSays(stage, '/', 'http-3')
    },
  },
  {
    name: 'a TCP backend goes (DELETE /backends)',
    async make(stage) {
      const url = tcpUrl(stage.servers.tcp[2]!)
      done(await stage.call('DELETE', '/backends', { url, pool: 'echo', drain: '5s' }), 200, 202)
    },
  },
  {
    name: 'a route comes (PUT /config)',
    async make(stage, n) {
      const wanted = await document(stage)
      wanted.routes.unshift({ name: 'extra', match: { path: '/extra' }, respond: { status: 200, body: `extra ${n}` } })
      done(await stage.call('PUT', '/config', wanted))
      await allSay(stage, '/extra', `extra ${n}`)
    },
  },
  {
    name: 'a route changes (PATCH /config)',
    async make(stage, n) {
      const { routes } = await document(stage)
      named(routes, 'extra').respond.body = `other ${n}`
      done(await stage.call('PATCH', '/config', { routes }))
      await allSay(stage, '/extra', `other ${n}`)
    },
  },
  {
    name: 'a route goes (PUT /config)',
    async make(stage, n) {
      const wanted = await document(stage)
      wanted.routes = wanted.routes.filter(({ name }: Document) => name !== 'extra')
      done(await stage.call('PUT', '/config', wanted))
      await noneSays(stage, '/extra', `other ${n - 1}`)
    },
  },
  {
    name: 'a listener comes (file, POST /reload)',
    async make(stage) {
      stage.file.listeners.push({ name: 'more', listen: `127.0.0.1:${stage.ports.more}` })
      await reload(stage)
      const answers = await stage.everywhere('/', 12, stage.ports.more)
      assert.ok(answers.every(({ status }) => status === 200))
    },
  },
  {
    name: 'a listener goes (file, POST /reload)',
    async make(stage) {
      stage.file.listeners.pop()
      await reload(stage)
      // Whoever was connecting at that moment may still be taken; soon nobody is.
      let refused = false
      for (const until = performance.now() + 2000; !refused && performance.now() < until; ) {
        const answers = await stage.everywhere('/', 12, stage.ports.more)
        refused = answers.every(({ error }) => error === 'ECONNREFUSED')
      }
      assert.ok(refused, 'the listener is still there')
    },
  },
  {
    name: 'a certificate (files, POST /reload)',
    async make(stage, n) {
      const next = Math.floor(n / 20) + 1
      stage.useCertificate(next)
      done(await stage.call('POST', '/reload'))
      const served = await Promise.all(Array.from({ length: 8 }, () => stage.servesCertificate(next)))
      assert.ok(served.every(Boolean), 'an old certificate is served')
    },
  },
  {
    name: 'a pool and a route to it come (PATCH /config)',
    async make(stage) {
      const { routes } = await document(stage)
      const pools = { next: { backends: [httpUrl(stage.servers.http[3]!)] } }
      const next = { name: 'next', match: { path: '/next' }, pool: 'next' }
      done(await stage.call('PATCH', '/config', { pools, routes: [...routes, next] }))
      await allSay(stage, '/next', 'http-4')
    },
  },
  {
    name: 'both go (PATCH /config)',
    async make(stage) {
      const { routes } = await document(stage)
      const rest = routes.filter(({ name }: Document) => name !== 'next')
      done(await stage.call('PATCH', '/config', { pools: { next: null }, routes: rest }))
      await noneSays(stage, '/next', 'http-4')
    },
  },
  {
    name: 'limits and deadlines (PATCH /config)',
    async make(stage, n) {
      const header_size = n % 40 < 20 ? '24KB' : '16KB'
      done(
        await stage.call('PATCH', '/config', {
          limits: { header_size },
          pools: { web: { timeouts: { idle: `${n}s` } } },
        }),
      )
      assert.equal((await document(stage)).limits.header_size, header_size)
    },
  },
  {
    name: 'a weight in the file (HUP)',
    async make(stage, n) {
      const url = httpUrl(stage.servers.http[1]!)
      stage.file.pools.web.backends[1] = { url, weight: 2 + (n % 5) + Math.floor(n / 20) }
      stage.save()
      await stage.hangUp()
      assert.equal((await backend(stage, url)).weight, stage.file.pools.web.backends[1].weight)
    },
  },
  {
    name: 'back (POST /config/rollback)',
    async make(stage) {
      const url = httpUrl(stage.servers.http[1]!)
      const before = (await backend(stage, url)).weight
      done(await stage.call('POST', '/config/rollback', {}))
      assert.notEqual((await backend(stage, url)).weight, before)
    },
  },
  {
    name: 'TLS of a listener (PATCH /config)',
    async make(stage, n) {
      const { listeners } = await document(stage)
      named(listeners, 'webs').tls.session_tickets = n % 40 < 20
      done(await stage.call('PATCH', '/config', { listeners }))
      assert.equal(named((await document(stage)).listeners, 'webs').tls.session_tickets, n % 40 < 20)
    },
  },
  {
    name: 'a bound on connections (PATCH /backends)',
    async make(stage, n) {
      const url = httpUrl(stage.servers.http[0]!)
      done(await stage.call('PATCH', '/backends', { url, pool: 'web', max_connections: 1000 + n }))
      assert.equal((await backend(stage, url)).max_connections, 1000 + n)
    },
  },
]
