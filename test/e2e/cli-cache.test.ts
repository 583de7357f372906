// `frontdesk cache` against a running Frontdesk, and `frontdesk proxy --cache`.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { cacheStand } from '../support/cache-stand.ts'
import { ask } from '../support/load.ts'
import { folder } from '../support/program.ts'
import { CliProcess, cli } from './cli-process.ts'

const host = { host: 'example.test' }

async function stand(t: TestContext, cache: unknown = true) {
  const made = await cacheStand(cache, { admin: true })
  t.after(() => made[Symbol.asyncDispose]())
  made.answer((_, response: ServerResponse) => {
    response.setHeader('Cache-Control', 'max-age=600')
    response.setHeader('Cache-Tag', 'news')
    response.end('x'.repeat(2000))
  })
  const dir = folder(t)
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    cli(t, ['cache', ...args, '--admin', String(made.proxy.adminPort)], { cwd: dir, env })
  return { made, run }
}

test('cache stats: hit ratio, room, and what is used most', async (t) => {
  const { made, run } = await stand(t)
  for (const path of ['/a', '/a', '/b?c', '/a']) await made.get(path, host)
  const { code, stdout, stderr } = await run(['stats'])
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /^ {2}hit ratio {2}50 % {2}\(2 hit, 2 miss\)$/m)
  assert.match(stdout, /^ {2}memory +\d+ MB of 256 MB \(\S+ %\), 2 entries$/m)
  assert.match(stdout, /^ {2}so far +2 stored, 0 evicted, 0 purged$/m)
  assert.match(stdout, /^ {2}http:\/\/example\.test\/a +200 +2\.0 KB +2 +\d s +10 min$/m)
  assert.match(stdout, /\n {2}next {2}throw something out: frontdesk cache purge URL\n$/)
  const json = await run(['stats', '--json', '--prefix', 'http://example.test/b', '--limit', '5'])
  const told = JSON.parse(json.stdout)
  assert.deepEqual(
    told.top.map(({ url }: { url: string }) => url),
    ['http://example.test/b?c'],
  )
})

test('cache purge: by URL, prefix, tag and all; soft; nothing found is no failure', async (t) => {
  const { made, run } = await stand(t)
  const fill = async (): Promise<void> => {
    for (const path of ['/a', '/b', '/c/d']) await made.get(path, host)
  }
  await fill()
  const steps: readonly (readonly [readonly string[], string])[] = [
    [['*://example.test/a'], 'purged 1 entry\n'],
    [['http://example.test/a'], 'nothing of it was in the cache: "frontdesk cache stats" lists what is\n'],
    [['--prefix', 'http://example.test/c/'], 'purged 1 entry\n'],
    [['--tag', 'news', '--tag', 'old', '--soft'], '1 entry marked stale: asked for again before it is used\n'],
    [
      ['--prefix', 'http://example.test/*'],
      'nothing of it was in the cache: "frontdesk cache stats" lists what is; a * at the end is a character like others: --prefix takes what begins so, without one\n',
    ],
    [['--all', '--json'], '{\n  "purged": 1,\n  "soft": false\n}\n'],
  ]
  for (const [args, expected] of steps) {
    // What is meant is never taken from the environment.
    const { code, stdout, stderr } = await run(['purge', ...args], { FRONTDESK_ALL: '1', FRONTDESK_SOFT: '1' })
    assert.deepEqual([code, stdout, stderr], [0, expected, ''], args.join(' '))
  }
  assert.equal(made.cache.totals().entries, 0)
})

test('cache purge: what is said wrongly is told, with the way to say it', async (t) => {
  const { run } = await stand(t)
  const none = await run(['purge'])
  assert.equal(none.code, 2)
  assert.match(
    none.stderr,
    /it is not said what to purge\n {2}frontdesk cache purge URL, or --prefix URL, --tag TAG, --all/,
  )
  const two = await run(['purge', 'http://example.test/', '--all'])
  assert.equal(two.code, 2)
  assert.match(two.stderr, /say one thing to purge, not several at once/)
  const bare = await run(['purge', 'example.test/a'])
  assert.equal(bare.code, 1)
  assert.match(
    bare.stderr,
    /does not begin as http:\/\/HOST.*\n {2}write http:\/\/example\.test\/a, or '\*:\/\/example/,
  )
})

test('where nothing caches it is said how to turn it on', async (t) => {
  const { run } = await stand(t, false)
  const stats = await run(['stats'])
  assert.deepEqual([stats.code, /^No route caches: "cache": true/.test(stats.stdout)], [0, true])
  const { code, stderr } = await run(['purge', '--all'])
  assert.equal(code, 1)
  assert.match(stderr, /No route caches.*\n {2}"cache": true in the configuration turns it on/)
})

test('proxy --cache, or FRONTDESK_CACHE, keeps answers; it is for HTTP only', async (t) => {
  let asked = 0
  const origin = createServer((_, response) => {
    asked += 1
    response.setHeader('Cache-Control', 'max-age=600')
    response.end('kept')
  }).listen(0, '127.0.0.1')
  await once(origin, 'listening')
  t.after(() => {
    origin.closeAllConnections()
    origin.close()
  })
  const to = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`
  const cwd = folder(t)
  for (const [args, env] of [
    [['--cache'], {}],
    [[], { FRONTDESK_CACHE: '1' }],
  ] as const) {
    const served = new CliProcess(t, ['proxy', '--from', '127.0.0.1:0', '--to', to, '--workers', '1', ...args], {
      cwd,
      env,
    })
    const [line] = await served.says(/^\{.*"event":"started".*$/m)
    const { port } = (JSON.parse(line!) as { listeners: { port: number }[] }).listeners[0]!
    asked = 0
    assert.equal((await ask(port)).body, 'kept')
    assert.match(String((await ask(port)).headers['cache-status']), /hit/)
    assert.equal(asked, 1)
  }
  const tcp = await cli(t, ['proxy', '--to', 'tcp://127.0.0.1:1', '--cache'], { cwd })
  assert.equal(tcp.code, 2)
  assert.match(tcp.stderr, /--cache is for HTTP only/)
})
