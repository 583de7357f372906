// Access log, traces and error answers change with a reload, in every worker, without a lost line or a failed request.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { startFakeCollector } from '../support/fake-collector.ts'
import { leakTest } from '../support/leaks.ts'
import { ask, load, steadyLoad } from '../support/load.ts'
import { refusingPort } from '../support/ports.ts'
import { folder, Program, writeConfig } from '../support/program.ts'
import { until } from '../support/wait.ts'

const lines = (path: string): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [])

async function reload(program: Program, dir: string, config: Record<string, unknown>, nth: number): Promise<void> {
  writeConfig(dir, config)
  program.signal('SIGHUP')
  const { level, message } = await program.event('reloaded', nth)
  assert.equal(level, 'info', message)
}

async function backendOf(t: TestContext): Promise<ActingBackend> {
  const backend = await startActingBackend()
  t.after(() => backend.close())
  return backend
}

test('the access log: on, another format in another file, rotated, off; no line is lost', async (t) => {
  const { url } = await backendOf(t)
  const dir = folder(t)
  const base = { backends: [url] }
  const [first, second] = [join(dir, 'a.log'), join(dir, 'b.log')]
  writeConfig(dir, base)
  const program = await Program.start(t, dir)
  await load(program.port, 20, { connections: 4 })

  await reload(program, dir, { ...base, logging: { access: { file: 'a.log' } } }, 1)
  await load(program.port, 200, { connections: 8 })
  await until('all of them are in the first file', () => lines(first).length === 200)
  assert.ok(lines(first).every((line) => (JSON.parse(line) as { status: number }).status === 200))

  await reload(program, dir, { ...base, logging: { access: { file: 'b.log', template: '{status} {backend}' } } }, 2)
  await load(program.port, 200, { connections: 8 })
  await until('all of them are in the second file', () => lines(second).length === 200)
  assert.deepEqual(new Set(lines(second)), new Set([`200 ${url}`]))

  renameSync(second, `${second}.1`)
  program.signal('SIGUSR2')
  await load(program.port, 100, { connections: 8 })
  await until('none is lost', () => lines(second).length + lines(`${second}.1`).length === 300)

  await reload(program, dir, base, 3)
  await load(program.port, 100, { connections: 8 })
  await reload(program, dir, { ...base, logging: { access: { file: 'a.log', sample: '0%' } } }, 4)
  await load(program.port, 100, { connections: 8 })
  await reload(program, dir, { ...base, logging: { access: { file: 'a.log' } } }, 5)
  await ask(program.port, { path: '/' })
  await until('there is a line again', () => lines(first).length === 201)
  assert.equal(lines(first).length + lines(second).length + lines(`${second}.1`).length, 501)
})

test('under load each request has one line, whatever file is in force', async (t) => {
  const { url } = await backendOf(t)
  const dir = folder(t)
  const logTo = (file: string) => ({ backends: [url], logging: { access: { file } } })
  writeConfig(dir, logTo('0.log'))
  const program = await Program.start(t, dir)
  const running = steadyLoad(program.port, { connections: 8 })
  for (let i = 1; i <= 4; i++) {
    const before = running.tally.answered
    await until('load is on', () => running.tally.answered > before + 50)
    await reload(program, dir, logTo(`${i}.log`), i)
  }
  const { answered, failures } = await running.stop()
  assert.deepEqual(failures, [])
  const all = (): string[] => [0, 1, 2, 3, 4].flatMap((i) => lines(join(dir, `${i}.log`)))
  await until('every request has its line', () => all().length === answered)
  const ids = all().map((line) => (JSON.parse(line) as { request_id: string }).request_id)
  assert.equal(new Set(ids).size, answered)
})

leakTest('traces begin and end with the configuration; error answers say what it allows', async (scope) => {
  const t = { after: (call: () => unknown) => scope.defer(async () => void (await call())) } as unknown as TestContext
  const collector = await startFakeCollector(scope)
  const backend = await backendOf(t)
  const dir = folder(t)
  const dead = await refusingPort()
  const base = {
    backends: [backend.url],
    pools: { gone: { backends: [`http://127.0.0.1:${dead}`], health_check: { method: 'none' } } },
    routes: [
      { name: 'gone', match: { path: '/gone' }, pool: 'gone' },
      { name: 'rest', match: '*', pool: 'default' },
    ],
  }
  writeConfig(dir, base)
  const program = await Program.start(t, dir)
  const traced = async (): Promise<boolean> => {
    const at = backend.requests.length
    await ask(program.port, { path: '/' })
    return JSON.stringify(backend.requests[at]).includes('traceparent')
  }
  const told = async (): Promise<boolean> => (await ask(program.port, { path: '/gone' })).body.includes(String(dead))
  assert.deepEqual([await traced(), await told()], [false, true])
  await reload(program, dir, { ...base, tracing: { endpoint: collector.url }, error_details: 'never' }, 1)
  assert.deepEqual([await traced(), await told()], [true, false])
  await until('their spans are there', () => collector.spans.length === 4)
  await reload(program, dir, base, 2)
  assert.deepEqual([await traced(), await told()], [false, true])
  assert.equal(collector.spans.length, 4)
  const { body } = await ask(program.adminPort, { path: '/metrics' })
  assert.match(body, /^frontdesk_spans_exported_total 4$/m)
})
