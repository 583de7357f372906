// Any valid configuration after any other, by document, patch, file, rollback, save and restart: what is shown is always what
// was asked for, and survives.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { differencesBetween } from '../../src/config/document/differences.ts'
import { redactDocument } from '../../src/config/document/secrets.ts'
import type { Json } from '../../src/config/document/types.ts'
import { loadConfig } from '../../src/config/load.ts'
import { ask } from '../support/load.ts'
import { refusingPort } from '../support/ports.ts'
import { validConfigs } from '../support/valid-configs.ts'
import { CliProcess } from './cli-process.ts'

/** Pools, routes and limits of generated files, behind one listener. */
function documentsFor(web: number, admin: number, seed: number): () => Json {
  const samples = fc.sample(validConfigs, { numRuns: 30, seed })
  let next = 0
  return () => {
    const written = samples[next++ % samples.length]! as object
    const normal = loadConfig({ path: 'config.json', value: written, env: {} }).documents.file as Record<string, Json>
    const { pools = {}, routes = [], limits = {}, trusted_proxies = [], shutdown = {} } = normal
    const listeners = [{ name: 'default', listen: `127.0.0.1:${web}`, pool: 'default' }]
    const fixed = { listeners, admin: { listen: `127.0.0.1:${admin}` }, workers: 1 }
    return { ...fixed, pools, routes, limits, trusted_proxies, shutdown }
  }
}

class Scene {
  readonly dir = mkdtempSync(join(tmpdir(), 'frontdesk-changing-'))
  readonly #t: TestContext
  readonly #admin: number
  #process: CliProcess | undefined

  constructor(t: TestContext, admin: number) {
    this.#t = t
    this.#admin = admin
    t.after(() => rmSync(this.dir, { recursive: true, force: true }))
  }

  async start(): Promise<void> {
    this.#process = new CliProcess(this.#t, ['-c', 'config.json'], { cwd: this.dir })
    await this.#process.says(/"event":"started"/)
  }

  async stop(): Promise<void> {
    const { child } = this.#process!
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    await gone
  }

  /** As a file has it: what only looks like a variable is escaped. */
  save(document: Json): void {
    const text = JSON.stringify(document, null, 2).replaceAll('${', () => '$${')
    writeFileSync(join(this.dir, 'config.json'), `// written by hand\n${text}`)
  }

  async call(method: string, path: string, body?: unknown) {
    const headers = { 'content-type': 'application/json' }
    const text = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await ask(this.#admin, { method, path, headers, ...text })
    assert.equal(answer.status, 200, `${method} ${path}: ${answer.status} ${answer.body}`)
    return JSON.parse(answer.body)
  }

  config(): Promise<Json> {
    return this.call('GET', '/config')
  }
}

const same = (actual: Json, expected: Json, what: string): void =>
  assert.deepEqual(differencesBetween(redactDocument(expected), redactDocument(actual)), [], what)

test('what is asked for is what is shown, goes back, is saved, and survives', { timeout: 120_000 }, async (t) => {
  const [web, admin] = [await refusingPort(), await refusingPort()]
  const seed = randomInt(2 ** 31)
  t.diagnostic(`seed ${seed}`)
  const document = documentsFor(web, admin, seed)
  const scene = new Scene(t, admin)
  scene.save(document())
  await scene.start()
  const shown = new Map<number, Json>()
  const remember = async (): Promise<void> => {
    const { revision } = await scene.call('GET', '/config/history')
    shown.set(revision, await scene.config())
  }
  await remember()
  for (let round = 0; round < 3; round++) {
    const wanted = document()
    await scene.call('PUT', '/config', wanted)
    same(await scene.config(), wanted, 'PUT')
    await remember()
    assert.deepEqual((await scene.call('PUT', '/config', await scene.config())).changes, [], 'the same again')
    const { limits } = document() as { limits: Json }
    await scene.call('PATCH', '/config', { limits, strategy: null, health_check_path: '/patched' })
    await remember()
    scene.save(document())
    await scene.call('POST', '/reload')
    await remember()
    for (const revision of [...shown.keys()].slice(-4)) {
      await scene.call('POST', '/config/rollback', { revision })
      same(await scene.config(), shown.get(revision)!, `back to ${revision}`)
      await remember()
    }
    const before = await scene.config()
    if (round % 2 === 0) {
      await scene.stop()
      await scene.start()
      same(await scene.config(), before, 'after a restart')
    }
    await scene.call('POST', '/config/save')
    same(await scene.config(), before, 'saved')
    const file = loadConfig({ path: join(scene.dir, 'config.json'), env: {} })
    same(file.documents.file, before, 'the file')
    await remember()
  }
})
