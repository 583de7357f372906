// Plug-ins in real workers: each imports them for itself, changes are rolled out to all or to none, and what they throw
// costs one request.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LoadedConfig } from '../../src/config/load.ts'
import { loadWithPlugins } from '../../src/config/load-with-plugins.ts'
import { ConfigError } from '../../src/config/problem.ts'
import type { CustomStrategy, RequestView } from '../../src/core/plugin.ts'
import { type Running, startFrontdesk } from '../../src/supervisor/frontdesk.ts'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { MemoryLog } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { type Answered, ask } from '../support/load.ts'
import { until } from '../support/wait.ts'

interface Stand {
  readonly folder: string
  readonly log: MemoryLog
  readonly backends: readonly ActingBackend[]
  readonly urls: readonly string[]
  write(name: string, text: string): string
  load(config: object | string): Promise<LoadedConfig>
  start(config: object | string): Promise<{ running: Running; port: number }>
}

/** Two backends named a and b, and a folder for modules. A text is the name of a configuration module there. */
async function stand(scope: Scope): Promise<Stand> {
  const folder = mkdtempSync(join(tmpdir(), 'frontdesk-plugins-'))
  scope.defer(() => rmSync(folder, { recursive: true }))
  const backends = [
    scope.use(await startActingBackend({ name: 'a' })),
    scope.use(await startActingBackend({ name: 'b' })),
  ]
  const urls = backends.map(({ url }) => url)
  const log = new MemoryLog()
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const whole = (config: object): object => ({
    listeners: [{ name: 'web', listen: '127.0.0.1:0' }],
    pools: { default: { backends: urls, health_check: { method: 'none' } } },
    workers: 2,
    state_file: null,
    ...config,
  })
  const load = (config: object | string): Promise<LoadedConfig> => {
    const path = typeof config === 'string' ? join(folder, config) : write('config.json', JSON.stringify(whole(config)))
    return loadWithPlugins({ path, allowAnyPort: true })
  }
  return {
    folder,
    log,
    backends,
    urls,
    write,
    load,
    async start(config) {
      const running = await startFrontdesk({ loaded: await load(config), log, version: '0.0.0-test' })
      scope.defer(() => {
        running.force()
        return running.stopped
      })
      return { running, port: running.listeners[0]!.port }
    },
  }
}

/** What several connections get: with two workers both are likely to be asked. */
function askMany(port: number, path = '/'): Promise<Answered[]> {
  return Promise.all(Array.from({ length: 20 }, () => ask(port, { path })))
}

leakTest('every worker imports the modules; middleware, strategies and matchers work in each', async (scope) => {
  const { write, start, urls } = await stand(scope)
  write(
    'mine.ts',
    `import { threadId } from 'node:worker_threads'
interface Name { readonly name: string }
export default {
  middleware: {
    thread: ({ name }: Name) => ({ onResponse(response) { response.setHeader(name, String(threadId)) } }),
  },
  strategies: { at: { build: ({ backends, options }) => () => backends[options.index] } },
  matchers: { path: ({ is }) => (request) => request.path === is },
}
`,
  )
  const { port } = await start({
    plugins: ['./mine.ts'],
    pools: {
      first: { backends: urls, health_check: { method: 'none' }, strategy: { custom: { at: { index: 0 } } } },
      second: { backends: urls, health_check: { method: 'none' }, strategy: { custom: { at: { index: 1 } } } },
    },
    routes: [
      { match: { custom: { path: { is: '/first' } } }, pool: 'first' },
      { match: '*', pool: 'second', use: { thread: { name: 'X-Thread' } } },
    ],
  })
  const [first, rest] = [await askMany(port, '/first'), await askMany(port, '/else')]
  const backendsOf = (answers: readonly Answered[]) => [...new Set(answers.map(({ headers }) => headers['x-backend']))]
  assert.deepEqual(backendsOf(first), ['a'])
  assert.deepEqual(backendsOf(rest), ['b'])
  assert.deepEqual([...new Set(first.map(({ headers }) => headers['x-thread']))], [undefined])
  for (const { headers } of rest) assert.match(String(headers['x-thread']), /^[1-9]\d*$/, 'it ran in a worker')
})

leakTest('a configuration in TypeScript runs in workers', async (scope) => {
  const { write, start, backends } = await stand(scope)
  write('words.ts', "export const hello: string = 'hello'\n")
  write(
    'frontdesk.config.ts',
    `import { hello } from './words.ts'
let turn = 0
export default {
  listeners: [{ name: 'web', listen: '127.0.0.1:0' }],
  pools: {
    main: {
      backends: ${JSON.stringify(backends.map(({ url }) => url))},
      health_check: { method: 'none' },
      strategy: { build: ({ backends }) => () => backends[turn++ % 2] },
    },
  },
  routes: [
    {
      match: { custom: (request) => request.header('x-no') !== 'yes' },
      pool: 'main',
      use: [{ onRequest(request) { request.setHeader('X-Hello', hello) } }],
    },
  ],
  workers: 2,
  state_file: null,
}
`,
  )
  const { port } = await start('frontdesk.config.ts')
  const answers = await askMany(port)
  assert.deepEqual(new Set(answers.map(({ headers }) => headers['x-backend'])), new Set(['a', 'b']))
  assert.equal((await ask(port, { headers: { 'x-no': 'yes' } })).status, 404, 'its matcher says no')
  const seen = backends.flatMap(({ requests }) => requests.map(({ fields }) => new Map(fields).get('X-Hello')))
  assert.deepEqual(new Set(seen), new Set(['hello']))
})

leakTest(
  'a strategy that throws costs that request, which gets 500 with its id; the log names the module',
  async (scope) => {
    const { write, start, log } = await stand(scope)
    write(
      'failing.ts',
      `let calls = 0
export default {
  strategies: {
    failing: { build: ({ backends }) => () => { if (calls++ === 0) throw new RangeError('no such zone'); return backends[0] } },
  },
}
`,
    )
    const { running, port } = await start({
      workers: 1,
      plugins: ['./failing.ts'],
      pools: {
        default: {
          backends: ['http://127.0.0.1:1'],
          health_check: { method: 'none' },
          strategy: { custom: 'failing' },
        },
      },
    })
    const failed = await ask(port, { headers: { 'x-request-id': 'mine' } })
    assert.equal(failed.status, 500)
    assert.match(failed.body, /Request id: \S+/)
    assert.equal((await ask(port)).status, 503, 'the next is as any other')
    const { message, level } = await log.waitFor('plugin_failed')
    assert.equal(level, 'error')
    assert.match(
      message,
      /^strategy failing \(\.\/failing\.ts\) failed: RangeError: no such zone\n\s+at .*failing\.ts:4:/,
    )
    assert.deepEqual(
      running.status().workers.map(({ restarts }) => restarts),
      [0],
    )
  },
)

leakTest('what fails only in threads is a failure to start, with the module and the place in it', async (scope) => {
  const { write, start, log } = await stand(scope)
  write(
    'picky.ts',
    `import { isMainThread } from 'node:worker_threads'
if (!isMainThread) throw new Error('not here')
export default { middleware: { picky: { onRequest() {} } } }
`,
  )
  const failed = await start({ plugins: ['./picky.ts'], routes: [{ pool: 'default', use: 'picky' }] }).then(
    () => assert.fail('it started'),
    (error: unknown) => error,
  )
  assert.ok(failed instanceof ConfigError, String(failed))
  assert.match(failed.format(), /^\.\/picky\.ts: \S+picky\.ts:2:26: failed while it was loaded: not here$/)
  assert.deepEqual(log.named('worker_died'), [])
})

leakTest('inline functions serve in the main thread', async (scope) => {
  const { urls, log } = await stand(scope)
  const asked: string[] = []
  const last: CustomStrategy = {
    build:
      ({ backends }) =>
      () =>
        backends.at(-1),
  }
  const value = {
    listeners: [{ name: 'web', listen: '127.0.0.1:0' }],
    pools: { default: { backends: urls, health_check: { method: 'none' }, strategy: last } },
    routes: [{ pool: 'default', use: [{ onRequest: (request: RequestView) => void asked.push(request.path) }] }],
    workers: 0,
  }
  const loaded = await loadWithPlugins({ value, allowAnyPort: true })
  const running = await startFrontdesk({ loaded, log, version: '0.0.0-test' })
  scope.defer(() => {
    running.force()
    return running.stopped
  })
  const answer = await ask(running.listeners[0]!.port, { path: '/inline' })
  assert.equal(answer.headers['x-backend'], 'b')
  assert.deepEqual(asked, ['/inline'])
})

const stamp = (text: string, first = ''): string =>
  `${first}\nexport default { middleware: { stamp: { onResponse(r) { r.setHeader('X-Stamp', '${text}') } } } }\n`
const stamped = { plugins: ['./stamp.ts'], routes: [{ pool: 'default', use: 'stamp' }] }
const stampsOf = (answers: readonly Answered[]): Set<unknown> =>
  new Set(answers.map(({ headers }) => headers['x-stamp']))

leakTest('a reload takes what a module has become, in every worker', async (scope) => {
  const { write, start, load } = await stand(scope)
  write('stamp.ts', stamp('one'))
  const { running, port } = await start(stamped)
  assert.deepEqual(stampsOf(await askMany(port)), new Set(['one']))
  write('stamp.ts', stamp('two'))
  const changed = await running.reload(await load(stamped))
  assert.deepEqual(changed.applied && changed.changes, ['plugins: read again'])
  assert.deepEqual(stampsOf(await askMany(port)), new Set(['two']))
  const same = await running.reload(await load(stamped))
  assert.deepEqual(same.applied && same.changes, [])
  const without = await running.reload(await load({ routes: [{ pool: 'default' }] }))
  assert.ok(without.applied)
  assert.deepEqual(stampsOf(await askMany(port)), new Set([undefined]))
})

leakTest('a module that one worker cannot load is refused by all of them', async (scope) => {
  const { write, start, load } = await stand(scope)
  write('stamp.ts', stamp('one'))
  const { running, port } = await start(stamped)
  const picky =
    "import { threadId } from 'node:worker_threads'\nif (threadId % 2 === 1) throw new Error('not in an odd one')"
  write('stamp.ts', stamp('two', picky))
  await assert.rejects(running.reload(await load(stamped)), (error: Error) => {
    assert.match(
      error.message,
      /worker \d: \.\/stamp\.ts: .*stamp\.ts:2:\d+: failed while it was loaded: not in an odd one/,
    )
    return true
  })
  assert.deepEqual(stampsOf(await askMany(port)), new Set(['one']))
  write('stamp.ts', stamp('three'))
  assert.ok((await running.reload(await load(stamped))).applied)
  assert.deepEqual(stampsOf(await askMany(port)), new Set(['three']))
})

leakTest('a worker that dies is followed by one that imports the modules of now', async (scope) => {
  const { write, start, load, log } = await stand(scope)
  const deadly = "{ onRequest(r) { if (r.path === '/die') setImmediate(() => { throw new Error('on purpose') }) } }"
  write('die.ts', `export default { middleware: { die: ${deadly} } }\n`)
  write('stamp.ts', stamp('one'))
  const config = {
    workers: 1,
    plugins: ['./stamp.ts', './die.ts'],
    routes: [{ pool: 'default', use: ['stamp', 'die'] }],
  }
  const { running, port } = await start(config)
  write('stamp.ts', stamp('two'))
  assert.ok((await running.reload(await load(config))).applied)
  await ask(port, { path: '/die' })
  const { message } = await log.waitFor('worker_died')
  assert.match(message, /on purpose/)
  await until('the next one serves', () => running.status().workers[0]?.state === 'running')
  assert.deepEqual(stampsOf(await askMany(port)), new Set(['two']))
})

leakTest('a TCP pool has an own strategy, too; where it throws the connection is closed', async (scope) => {
  const { write, start, backends, log } = await stand(scope)
  write(
    'tcp.ts',
    `let calls = 0
export default { strategies: { last: { build: ({ backends }) => () => { if (calls++ > 0) throw new Error('enough'); return backends.at(-1) } } } }
`,
  )
  const { port } = await start({
    listeners: [{ name: 'tcp', listen: '127.0.0.1:0', protocol: 'tcp', pool: 'tcp' }],
    plugins: ['./tcp.ts'],
    workers: 1,
    pools: {
      tcp: {
        backends: backends.map(({ url }) => url.replace('http', 'tcp')),
        health_check: { method: 'none' },
        strategy: { custom: 'last' },
      },
    },
  })
  const served = await ask(port)
  assert.equal(served.headers['x-backend'], 'b')
  assert.equal((await ask(port)).status, 0)
  assert.match((await log.waitFor('plugin_failed')).message, /strategy last \(\.\/tcp\.ts\) failed: Error: enough/)
})
