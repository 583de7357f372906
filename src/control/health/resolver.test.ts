import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryLog } from '../../../test/support/control-kit.ts'
import { until } from '../../../test/support/wait.ts'
import { silentLog } from '../../core/log.ts'
import { Resolver } from './resolver.ts'

describe('Resolver', () => {
  it('finds all addresses of localhost the way the system does', async () => {
    const changes: string[] = []
    const resolver = new Resolver({ log: silentLog, onChange: (host) => changes.push(host) })
    resolver.watch('localhost')
    const { addresses } = await resolver.whenKnown('localhost')
    assert.ok(addresses.includes('127.0.0.1'), String(addresses))
    assert.deepEqual(changes, ['localhost'])
    resolver.close()
  })

  it('does not resolve IP literals', () => {
    const resolver = new Resolver({ log: silentLog, onChange: () => assert.fail(), lookup: () => assert.fail() })
    resolver.watch('::1')
    resolver.watch('')
    assert.deepEqual(resolver.get('::1'), { addresses: ['::1'], problem: null })
  })

  it('asks again as the records age and tells only of changed sets', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const answers = [['10.0.0.1', '10.0.0.2'], ['10.0.0.2', '10.0.0.1'], ['10.0.0.3']]
    const changes: (readonly string[])[] = []
    let asked = 0
    const log = new MemoryLog()
    const resolver = new Resolver({
      log,
      onChange: (_, addresses) => changes.push(addresses),
      lookup: async () => answers[Math.min(asked++, 2)]!,
      ttlOf: async () => (asked === 1 ? 5 : null),
    })
    const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
    resolver.watch('a.example')
    await resolver.whenKnown('a.example')
    await settle()
    t.mock.timers.tick(4_999)
    await settle()
    assert.equal(asked, 1)
    t.mock.timers.tick(1)
    await settle()
    assert.equal(asked, 2)
    assert.equal(changes.length, 1)
    t.mock.timers.tick(30_000)
    await settle()
    assert.deepEqual(changes, [['10.0.0.1', '10.0.0.2'], ['10.0.0.3']])
    assert.equal(log.named('addresses_changed').length, 1)
    resolver.close()
  })

  it('keeps the last good addresses over a failure, says it once, and recovers', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let fail = false
    const log = new MemoryLog()
    const resolver = new Resolver({
      log,
      onChange: () => {},
      lookup: async () => {
        if (fail) throw Object.assign(new Error('x'), { code: 'EAI_AGAIN' })
        return ['10.0.0.1']
      },
      ttlOf: async () => null,
    })
    const step = async (ms: number) => {
      t.mock.timers.tick(ms)
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    resolver.watch('b.example')
    await resolver.whenKnown('b.example')
    fail = true
    await step(0)
    await step(30_000)
    assert.deepEqual(resolver.get('b.example'), { addresses: ['10.0.0.1'], problem: 'EAI_AGAIN' })
    await step(1_000)
    fail = false
    await step(2_000)
    assert.deepEqual(resolver.get('b.example'), { addresses: ['10.0.0.1'], problem: null })
    assert.deepEqual(
      log.events.map((event) => event.name),
      ['resolve_failed', 'resolve_recovered'],
    )
    resolver.close()
  })

  it('shares one name among its users and forgets it with the last', async () => {
    let asked = 0
    const lookup = async () => {
      asked += 1
      return ['10.0.0.1']
    }
    const resolver = new Resolver({ log: silentLog, onChange: () => {}, lookup, ttlOf: async () => null })
    resolver.watch('c.example')
    resolver.watch('c.example')
    await resolver.whenKnown('c.example')
    resolver.unwatch('c.example')
    assert.equal(resolver.get('c.example').addresses.length, 1)
    resolver.unwatch('c.example')
    assert.deepEqual(resolver.get('c.example'), { addresses: [], problem: null })
    await until('it was asked', () => asked === 1)
    resolver.close()
  })
})
