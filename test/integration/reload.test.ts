// HUP: the file is read again under load; what can be applied is, without a failed request, and what cannot is named.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { ask, load, steadyLoad } from '../support/load.ts'
import { folder, Program, writeConfig } from '../support/program.ts'
import { until } from '../support/wait.ts'

async function backends(t: TestContext, ...names: string[]): Promise<ActingBackend[]> {
  const started = await Promise.all(names.map((name) => startActingBackend({ name })))
  t.after(() => Promise.all(started.map((backend) => backend.close())))
  return started
}

test('backends and weights are applied under load, and no request fails', async (t) => {
  const [a, b, c] = (await backends(t, 'a', 'b', 'c')) as [ActingBackend, ActingBackend, ActingBackend]
  const dir = folder(t)
  writeConfig(dir, { backends: [a.url, b.url] })
  const program = await Program.start(t, dir)
  const running = steadyLoad(program.port, { connections: 8 })
  const versions = [
    [a.url, { url: c.url, weight: 3 }],
    [b.url],
    [a.url, b.url, c.url],
    [
      { url: a.url, weight: 2 },
      { url: b.url, weight: 1, max_connections: 100 },
    ],
  ]
  for (const [index, version] of versions.entries()) {
    const before = running.tally.answered
    await until('load is on', () => running.tally.answered > before + 50)
    writeConfig(dir, { backends: version })
    program.signal('SIGHUP')
    const { level, message } = await program.event('reloaded', index + 1)
    assert.equal(level, 'info', message)
  }
  const { answered, failures } = await running.stop()
  assert.deepEqual(failures, [])
  assert.ok(answered > 200)
  const { byBackend } = await load(program.port, 300, { connections: 8 })
  assert.deepEqual(
    new Map([...byBackend].sort()),
    new Map([
      ['a', 200],
      ['b', 100],
    ]),
  )
  const status = JSON.parse((await ask(program.adminPort, { path: '/status' })).body) as {
    backends: { url: string; weight: number; max_connections: number }[]
  }
  assert.deepEqual(
    status.backends.map(({ url, weight, max_connections }) => [url, weight, max_connections]),
    [
      [a.url, 2, 0],
      [b.url, 1, 100],
    ],
  )
})

test('a backend that the file no longer names finishes what it has in flight', async (t) => {
  const [a, b] = (await backends(t, 'a', 'b')) as [ActingBackend, ActingBackend]
  const dir = folder(t)
  writeConfig(dir, { backends: [a.url] })
  const program = await Program.start(t, dir, { workers: 1 })
  const slow = ask(program.port, { headers: { 'x-act-hold': 'slow' } })
  await until('it is in flight', () => a.active === 1)
  writeConfig(dir, { backends: [b.url] })
  program.signal('SIGHUP')
  await program.event('reloaded')
  assert.equal((await ask(program.port)).headers['x-backend'], 'b')
  a.release('slow')
  const { status, headers } = await slow
  assert.deepEqual([status, headers['x-backend']], [200, 'a'])
  await until('its connections are closed', () => a.open === 0)
})

test('routes come, change and go under load, and no request fails', async (t) => {
  const [a, b] = (await backends(t, 'a', 'b')) as [ActingBackend, ActingBackend]
  const dir = folder(t)
  const file = { backends: [a.url], pools: { other: { backends: [b.url] } } }
  const api = { name: 'api', match: { path: '/api/*' }, pool: 'other' }
  writeConfig(dir, file)
  const program = await Program.start(t, dir)
  const running = steadyLoad(program.port, { connections: 8 })
  const from = async (path: string): Promise<string | number> => {
    const { status, headers } = await ask(program.port, { path })
    return (headers['x-backend'] as string | undefined) ?? status
  }
  let reloads = 0
  const reload = async (routes: object[], more: object = {}): Promise<string> => {
    const before = running.tally.answered
    await until('load is on', () => running.tally.answered > before + 50)
    writeConfig(dir, { ...file, ...more, routes })
    program.signal('SIGHUP')
    return (await program.event('reloaded', ++reloads)).message
  }
  assert.deepEqual([await from('/'), await from('/api/x')], ['a', 'a'])
  assert.match(await reload([api]), /applied as revision 2 \(HUP\): route api: added$/)
  assert.deepEqual([await from('/'), await from('/api/x')], ['a', 'b'])
  const split = { ...api, pool: undefined, split: [{ pool: 'default' }, { pool: 'other' }] }
  assert.match(
    await reload([split, { name: 'gone', match: { path: '/gone' }, respond: 410 }]),
    /api: what it does changed/,
  )
  const both = new Set([await from('/api/x'), await from('/api/x')])
  assert.deepEqual([[...both].sort(), await from('/gone')], [['a', 'b'], 410])
  assert.match(await reload([{ name: 'gone', match: { path: '/gone' }, respond: 404 }]), /route api: removed$/)
  assert.deepEqual([await from('/api/x'), await from('/gone')], ['a', 404])
  assert.match(await reload([], { rate_limit: '1000000/s' }), /route default: added; route gone: removed$/)
  const { answered, failures } = await running.stop()
  assert.deepEqual(failures, [])
  assert.ok(answered > 200)
})

test('another state file needs a restart: told by name, and nothing changes, not even the backends beside it', async (t) => {
  const [a, b] = (await backends(t, 'a', 'b')) as [ActingBackend, ActingBackend]
  const dir = folder(t)
  writeConfig(dir, { backends: [a.url] })
  const program = await Program.start(t, dir, { workers: 1 })
  writeConfig(dir, { backends: [b.url], strategy: 'least-conn', state_file: 'other.json' })
  program.signal('SIGHUP')
  const refused = await program.event('reload_refused')
  assert.deepEqual(refused.keys, ['state_file'])
  assert.match(refused.message, /^nothing changed: .*restart/)
  assert.equal((await ask(program.port)).headers['x-backend'], 'a')

  writeConfig(dir, { backends: ['not a URL'], srategy: 'first' })
  program.signal('SIGHUP')
  const failed = await program.event('reload_failed', 2)
  assert.equal(failed.level, 'error')
  assert.match(failed.message, /config\.json:1:\d+.*nothing changed/)
  assert.equal((await ask(program.port)).headers['x-backend'], 'a')
  assert.match(
    (await ask(program.adminPort, { path: '/metrics' })).body,
    /^frontdesk_config_last_reload_successful 0$/m,
  )

  writeConfig(dir, { backends: [b.url] })
  program.signal('SIGHUP')
  await program.event('reloaded')
  assert.equal((await ask(program.port)).headers['x-backend'], 'b')
  assert.match(
    (await ask(program.adminPort, { path: '/metrics' })).body,
    /^frontdesk_config_last_reload_successful 1$/m,
  )
})
