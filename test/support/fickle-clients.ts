// Many clients at once, of the acting backend, some of whom leave at any time.
import assert from 'node:assert/strict'
import { fieldValue } from './http-message.ts'
import { post } from './messages.ts'
import { Random } from './random.ts'
import { RawClient } from './raw-client.ts'

const CLIENTS = 40
const TURNS = 6

/** Resolves when all are done; fails when one has got what is not its own. */
export async function fickleClients(port: number, random = new Random()): Promise<void> {
  await Promise.all(Array.from({ length: CLIENTS }, (_, n) => fickleClient(port, n, random)))
}

async function fickleClient(port: number, n: number, random: Random): Promise<void> {
  const client = await RawClient.open(port)
  for (let turn = 0; turn < TURNS; turn++) {
    const [up, down] = [sizeOf(random), sizeOf(random)]
    const fields = { 'x-act-size': down, 'x-act-header': `x-who=${n}-${turn}`, 'x-act-chunks': random.between(0, 3) }
    const whole = post(`/${n}/${turn}`, 'u'.repeat(up), fields)
    if (random.between(0, 4) === 0) {
      client.write(whole.slice(0, random.between(1, whole.length)))
      for (let turns = random.between(0, 20); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
      client.reset()
      return
    }
    const reply = await client.request(whole, 'POST')
    assert.equal(fieldValue(reply, 'x-who'), `${n}-${turn}`, `seed ${random.seed}`)
    assert.equal(reply.body.length, down, `seed ${random.seed}`)
  }
  await client.close()
}

const sizeOf = (random: Random): number =>
  random.between(0, 3) === 0 ? random.between(1, 300_000) : random.between(0, 100)
