// Every event that GET /events tells has its line in the log, with the same facts: one scenario in which all of them happen.
import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { eventTypes } from '../../src/control/admin/calls/events.ts'
import { type Running, startFrontdesk } from '../../src/supervisor/frontdesk.ts'
import { startActingBackend } from '../support/acting-backend.ts'
import { type Authority, haveOpenssl, makeAuthority } from '../support/certificates.ts'
import { type LoggedEvent, MemoryLog } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { SseClient } from '../support/sse-client.ts'
import { Threads } from '../support/threads.ts'
import { until } from '../support/wait.ts'

const skip = (await haveOpenssl()) ? false : 'openssl is not installed'
const authority: Authority | null = skip === false ? await makeAuthority() : null
test.after(() => authority?.remove())

/** The log's events for each type of event. The end of the stream is not one that the log of a running process has. */
const lines: Readonly<Record<string, readonly string[]>> = {
  backend_up: ['backend_up'],
  backend_down: ['backend_down'],
  backend_ejected: ['backend_ejected'],
  backend_returned: ['backend_returned'],
  backend_added: ['backend_changed'],
  backend_updated: ['backend_changed'],
  backend_removed: ['backend_changed'],
  backend_drained: ['backend_drained'],
  config_applied: ['reloaded', 'config_changed'],
  config_refused: ['reload_failed', 'reload_refused'],
  certificate_renewed: ['certificate_changed'],
  certificate_expires: ['certificate_expires', 'certificate_expired'],
  worker_restarted: ['worker_restarted'],
  cache_purged: ['cache_purged'],
  draining: ['draining'],
}
const withoutLine = new Set(['closed', 'dropped', 'problem'])

interface Stage {
  readonly running: Running
  readonly log: MemoryLog
  readonly client: SseClient
  readonly adminPort: number
  readonly dir: string
}

async function stage(scope: Scope, document: object): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), 'frontdesk-events-'))
  scope.defer(() => rm(dir, { recursive: true }))
  const issued = await authority!.issue({ days: 5 })
  put(dir, issued)
  const path = join(dir, 'config.json')
  writeFileSync(path, JSON.stringify(document))
  const load = () => loadConfig({ path, allowAnyPort: true })
  const log = new MemoryLog()
  const running = await startFrontdesk({ loaded: load(), load, log, version: 'test' })
  scope.defer(async () => {
    running.force()
    await running.stopped
  })
  const adminPort = running.admin!.port
  const client = scope.use(await SseClient.open(adminPort, { path: '/events?stats=0&last_event_id=0' }))
  return { running, log, client, adminPort, dir }
}

function put(dir: string, { cert, key }: { readonly cert: string; readonly key: string }): void {
  for (const [name, text] of [
    ['a.pem', cert],
    ['a.key', key],
  ] as const) {
    writeFileSync(join(dir, `${name}.new`), text)
    renameSync(join(dir, `${name}.new`), join(dir, name))
  }
}

/** The line that tells of the same thing. */
function lineOf(log: MemoryLog, type: string, data: Readonly<Record<string, unknown>>): LoggedEvent | undefined {
  const about = String(data.backend ?? data.name ?? '')
  const found = lines[type]!.flatMap((name) => log.named(name))
  return found.find(({ message }) => message.includes(about))
}

leakTest(
  'all events happen, and the log tells of each',
  async (scope) => {
    const threads = scope.use(new Threads())
    const steady = scope.use(await startActingBackend({ name: 'steady' }))
    const flapping = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => flapping.listen(0, '127.0.0.1', resolve))
    scope.defer(() => void flapping.close())
    const place = flapping.address() as { port: number }
    const document = {
      listeners: [
        { name: 'web', listen: '127.0.0.1:0', tls: { certificates: [{ cert: 'a.pem', key: 'a.key' }] } },
        { name: 'plain', listen: '127.0.0.1:0' },
      ],
      pools: {
        default: {
          backends: [steady.url],
          health_check: { method: 'tcp', interval: '20ms', timeout: '1s', fall: 1 },
        },
        frail: {
          backends: [`http://127.0.0.1:${place.port}`, 'http://127.0.0.1:9'],
          health_check: { method: 'none' },
          passive_health: { max_fails: 1, window: '10s', eject: '50ms' },
        },
      },
      routes: [{ name: 'frail', match: { path: '/frail' }, pool: 'frail' }],
      cache: true,
      admin: { listen: '127.0.0.1:0' },
      workers: 1,
      state_file: null,
    }
    const { running, log, client, adminPort, dir } = await stage(scope, document)
    const call = async (method: string, path: string, body: object): Promise<number> => {
      const headers = { 'content-type': 'application/json' }
      return (await ask(adminPort, { method, path, headers, body: JSON.stringify(body) })).status
    }
    const port = running.listeners[1]!.port

    await client.waitFor('certificate_expires')
    await client.waitFor('backend_up')
    const { port: own } = new URL(steady.url)
    await steady.close()
    await client.waitFor('backend_down')
    scope.use(await startActingBackend({ name: 'again', port: Number(own) }))
    await client.waitFor('backend_up', 2)

    const extra = scope.use(await startActingBackend({ name: 'extra' }))
    assert.equal(await call('POST', '/backends', { url: extra.url, pool: 'default' }), 201)
    await client.waitFor('backend_added')
    assert.equal(await call('PATCH', '/backends', { url: extra.url, pool: 'default', weight: 9 }), 200)
    await client.waitFor('backend_updated')
    assert.equal(await call('DELETE', '/backends?wait=1', { url: extra.url, pool: 'default' }), 200)
    await client.waitFor('backend_removed')
    await client.waitFor('backend_drained')

    let sent = 0
    while (client.named('backend_returned').length === 0 && sent++ < 200) await ask(port, { path: '/frail' })
    await client.waitFor('backend_ejected')
    await client.waitFor('backend_returned')

    put(dir, await authority!.issue({ days: 90 }))
    await client.waitFor('certificate_renewed')

    const path = join(dir, 'config.json')
    writeFileSync(path, JSON.stringify({ ...document, limits: { header_size: '32KB' } }))
    await running.reloadFile()
    await client.waitFor('config_applied')
    writeFileSync(path, '{ "strategy": "none" }')
    await assert.rejects(running.reloadFile())
    const refused = await client.waitFor('config_refused')
    assert.equal((refused.data.problems as { line: number }[])[0]!.line, 1)

    assert.equal(await call('POST', '/cache/purge', { all: true }), 200)
    await client.waitFor('cache_purged')

    await threads.kill(threads.started[0]!)
    const restarted = await client.waitFor('worker_restarted')
    assert.deepEqual([restarted.data.worker, restarted.data.restarts], [0, 1])
    assert.equal(client.named('problem').find(({ data }) => data.code === 'worker_died')!.data.level, 'error')

    assert.equal(await call('POST', '/stop', {}), 202)
    await client.waitFor('draining')
    await until('it has ended', () => client.hasEnded)
    const told = client.frames.filter(({ event }) => event !== 'hello')
    const missing = eventTypes.filter((type) => !withoutLine.has(type) && !told.some(({ event }) => event === type))
    assert.deepEqual(missing, [], 'types that did not happen')
    for (const { event, data } of told) {
      assert.ok(String(data.message).length > 0, event)
      if (!withoutLine.has(event)) assert.ok(lineOf(log, event, data), `no line for ${event}: ${data.message}`)
    }
    // A problem is a line that no other event tells of.
    for (const { data } of client.named('problem')) assert.ok(log.named(String(data.code)).length > 0)
  },
  { skip },
)
