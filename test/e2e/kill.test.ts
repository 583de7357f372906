// kill -9 of the whole program in the middle of changes: what was acknowledged is there after the next start.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { ask } from '../support/load.ts'
import { refusingPort } from '../support/ports.ts'
import { folder, Program, writeConfig } from '../support/program.ts'

/** Weight by URL. */
type Backends = Map<string, number>

interface Change {
  readonly method: 'POST' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly weight: number
}

const kills = 20

/** Whatever their order. */
const asText = (backends: Backends): string => JSON.stringify([...backends].sort())

/** Changes that were sent and not answered when the program died: each may have come about or not. */
function asChanged(backends: Backends, { method, url, weight }: Change): Backends {
  const next = new Map(backends)
  if (method === 'DELETE') next.delete(url)
  else next.set(url, weight)
  return next
}

async function listed(program: Program): Promise<Backends> {
  const { body } = await ask(program.adminPort, { path: '/backends' })
  return new Map((JSON.parse(body) as { url: string; weight: number }[]).map(({ url, weight }) => [url, weight]))
}

function send(program: Program, { method, url, weight }: Change) {
  const body = JSON.stringify(method === 'DELETE' ? { url } : { url, weight })
  return ask(program.adminPort, { method, path: '/backends', headers: { 'content-type': 'application/json' }, body })
}

/** A change that makes sense for these backends; the round decides which. */
function nextChange(backends: Backends, fixed: string, round: number): Change {
  const urls = [...backends.keys()].filter((url) => url !== fixed)
  const weight = 1 + (round % 100)
  if (urls.length < 2 || (round % 3 === 0 && urls.length < 8)) {
    return { method: 'POST', url: `http://10.0.0.1:${1 + round}`, weight }
  }
  return { method: round % 3 === 1 ? 'PATCH' : 'DELETE', url: urls[round % urls.length]!, weight }
}

test(`killed ${kills} times in the middle of changes, it never forgets an acknowledged one`, {
  timeout: 200_000,
}, async (t) => {
  const dir = folder(t)
  const fixed = `http://127.0.0.1:${await refusingPort()}`
  const pools = { default: { backends: [fixed], health_check: { method: 'none' } } }
  writeConfig(dir, { pools, port: 1, admin_port: 2 })
  let possible: Backends[] = [new Map([[fixed, 1]])]
  let acknowledged = 0
  let round = 0
  for (let kill = 0; kill <= kills; kill++) {
    const program = await Program.start(t, dir, { workers: 1 })
    let backends = await listed(program)
    const shown = asText(backends)
    const allowed = possible.map(asText)
    assert.ok(allowed.includes(shown), `after kill ${kill}: ${shown} is none of ${allowed.join(' or ')}`)
    // The kill comes at another moment of the change each time: from before it arrives to after its answer.
    const sure = 1 + (kill % 3)
    for (let i = 0; i < sure; i++) {
      const change = nextChange(backends, fixed, round++)
      const { status } = await send(program, change)
      assert.ok(status === 200 || status === 201, `${change.method} ${change.url}: ${status}`)
      backends = asChanged(backends, change)
      acknowledged++
    }
    const last = nextChange(backends, fixed, round++)
    const answer = send(program, last)
    await new Promise((resolve) => setTimeout(resolve, (kill * 7) % 12))
    program.signal('SIGKILL')
    const wasAcknowledged = (await answer).status >= 200
    const after = asChanged(backends, last)
    possible = wasAcknowledged ? [after] : [backends, after]
    await program.closed
  }
  assert.ok(acknowledged >= kills)
  // What a write left unfinished does not pile up, and nothing was taken for damaged.
  const files = readdirSync(dir).filter((name) => name !== 'config.json')
  assert.ok(files.length <= 2 && !files.some((name) => name.includes('broken')), files.join(', '))
})
