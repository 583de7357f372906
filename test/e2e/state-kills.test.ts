// Twenty times: the whole program is killed while the admin API changes its backends. What was acknowledged is there again.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { refusingPort } from '../support/ports.ts'
import { CliProcess } from './cli-process.ts'

const kills = 20

/** One life of the program, and the calls to it. */
class Life {
  readonly process: CliProcess
  readonly #agent = new Agent({ keepAlive: true })
  #admin = ''

  constructor(t: TestContext, dir: string) {
    // Written by the one life that ends in peace: the others start in a third of the time.
    const env = { NODE_COMPILE_CACHE: join(dir, 'cache') }
    this.process = new CliProcess(t, ['run', '--port', '0', '--admin-port', '0', '--workers', '0'], { cwd: dir, env })
  }

  async started(): Promise<void> {
    const [, admin] = await this.process.says(/"event":"started".*"admin":"([^"]+)"/)
    this.#admin = admin!
  }

  /** The status and the body; rejects when the program is gone. */
  async call(method: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const payload = body === undefined ? '' : JSON.stringify(body)
    const headers = { 'content-type': 'application/json', 'content-length': payload.length }
    const outgoing = request(`${this.#admin}/backends`, { method, headers, agent: this.#agent })
    outgoing.end(payload)
    const [response] = await once(outgoing, 'response')
    return { status: response.statusCode, body: await json(response) }
  }

  async urls(): Promise<Set<string>> {
    const { body } = await this.call('GET')
    return new Set((body as { url: string }[]).map(({ url }) => url))
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.process.signal(signal)
    await this.process.ended()
    this.#agent.destroy()
  }
}

test(`no acknowledged change is lost over ${kills} kills of the program`, { timeout: 120_000 }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-kills-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const first = `http://127.0.0.1:${await refusingPort()}`
  writeFileSync(join(dir, 'config.json'), JSON.stringify({ backends: [first] }))
  const acknowledged = new Set([first])
  let doubtful: string | null = null
  let next = 0
  let changes = 0

  /** Adds, and now and then removes, until the program is gone. */
  const change = async (life: Life, onAcknowledged: () => void): Promise<void> => {
    for (;;) {
      const removes = acknowledged.size > 4
      const url = removes ? [...acknowledged][1]! : `http://127.0.0.2:${(next += 1)}`
      doubtful = url
      const answer = await life.call(removes ? 'DELETE' : 'POST', { url }).catch(() => null)
      if (answer === null) return
      assert.equal(answer.status, removes ? 200 : 201, JSON.stringify(answer.body))
      if (removes) acknowledged.delete(url)
      else acknowledged.add(url)
      doubtful = null
      changes += 1
      onAcknowledged()
    }
  }

  const peaceful = new Life(t, dir)
  await peaceful.started()
  await peaceful.end('SIGTERM')
  for (let round = 0; round <= kills; round++) {
    const life = new Life(t, dir)
    await life.started()
    assert.ok(!life.process.stdout.includes('state_file_broken'), life.process.stdout)
    const there = await life.urls()
    if (doubtful !== null) {
      // The call that the kill cut off may have been carried out or not.
      if (there.has(doubtful)) acknowledged.add(doubtful)
      else acknowledged.delete(doubtful)
    }
    assert.deepEqual([...there].sort(), [...acknowledged].sort(), `after kill ${round}`)
    let left = 1 + (round % 5)
    const armed = Promise.withResolvers<void>()
    const changing = change(life, () => {
      if ((left -= 1) === 0) armed.resolve()
    })
    await Promise.race([armed.promise, changing])
    // Between nothing and a few milliseconds into the next change.
    if (round % 3 > 0) await new Promise((resolve) => setTimeout(resolve, round % 3))
    await life.end('SIGKILL')
    await changing
  }
  assert.ok(changes >= kills)
})
