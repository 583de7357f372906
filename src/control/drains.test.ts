// Draining as a state, with and without an end; and adding a backend that has to come up.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ControlBed } from '../../test/support/control-bed.ts'
import { SilentListener } from '../../test/support/control-kit.ts'
import { refusingPort } from '../../test/support/ports.ts'
import { until, within } from '../../test/support/wait.ts'
import { Flag } from '../state/flags.ts'
import type { BackendStatus } from './status.ts'

const a = 'http://127.0.0.1:1001'
const b = 'http://127.0.0.1:1002'
const config = {
  listeners: [{ name: 'web', listen: '127.0.0.1:0' }],
  pools: { default: { backends: [a, b], health_check: { method: 'none' } } },
  admin: { listen: '127.0.0.1:0' },
}

const stateOf = (bed: ControlBed, url: string): BackendStatus =>
  bed.control.status().backends.find((backend) => backend.url === url)!

describe('PATCH /backends {"state":"drain"}', () => {
  it('without an end keeps who is bound for ever, over a restart too; "up" takes it back', async (t) => {
    const bed = await ControlBed.start(t, config)
    const slot = bed.slots()[`default ${a}`]!
    const drained = await bed.call('PATCH', '/backends', { url: a, state: 'drain' })
    assert.deepEqual([drained.json().state, 'drain_ends_at' in drained.json()], ['draining', false])
    assert.deepEqual(
      [bed.port.state.isAvailable(slot), bed.port.state.isUsableWhenBound(slot), bed.port.cut],
      [false, true, []],
    )
    await bed.restart()
    assert.equal(stateOf(bed, a).state, 'draining')
    const up = await bed.call('PATCH', '/backends', { url: a, state: 'up' })
    assert.equal(up.json().alive, true)
    assert.deepEqual(bed.control.inForce.states, {})
  })

  it('with an end releases who is bound then, closes what is open, and tells', async (t) => {
    const bed = await ControlBed.start(t, config)
    const slot = bed.slots()[`default ${a}`]!
    bed.port.worker.enter(slot, 0)
    const answer = await bed.call('PATCH', '/backends', { url: a, state: 'drain', drain: '300ms' })
    const endsAt = Date.parse(String(answer.json().drain_ends_at))
    assert.ok(Math.abs(endsAt - Date.now() - 300) < 250, answer.text)
    assert.deepEqual([bed.port.state.isUsableWhenBound(slot), bed.port.cut], [true, []])
    await until('its end', () => bed.port.cut.includes(slot))
    assert.ok(Date.now() >= endsAt)
    assert.deepEqual([bed.port.state.isUsableWhenBound(slot), bed.port.state.active(slot)], [false, 0])
    await until('it is told', () => bed.events.some(({ type }) => type === 'backend_drained'))
    const told = bed.events.find((event) => event.type === 'backend_drained')!
    assert.ok(told.type === 'backend_drained' && told.backend === a && told.cut === 1 && told.afterMs > 0)
    assert.equal(stateOf(bed, a).state, 'draining')
    const back = await bed.call('PATCH', '/backends', { url: a, state: 'up' })
    assert.deepEqual([back.json().alive, 'drain_ends_at' in back.json()], [true, false])
  })

  it('ends at the same time after a restart, and is over where that has passed meanwhile', async (t) => {
    const bed = await ControlBed.start(t, config)
    const answer = await bed.call('PATCH', '/backends', { url: a, state: 'drain', drain: '200ms' })
    await bed.call('PATCH', '/backends', { url: b, state: 'drain', drain: '1h' })
    const later = stateOf(bed, b).drain_ends_at
    await bed.control.close()
    await until('the first has passed', () => Date.now() > Date.parse(String(answer.json().drain_ends_at)))
    await bed.restart()
    const flags = (url: string): number => bed.port.state.flags(bed.slots()[`default ${url}`]!)
    assert.ok((flags(a) & Flag.DISABLED) !== 0)
    assert.ok((flags(b) & Flag.DISABLED) === 0)
    assert.equal(stateOf(bed, b).drain_ends_at, later)
  })

  it('is taken back before its end: nothing is closed', async (t) => {
    const bed = await ControlBed.start(t, config)
    const slot = bed.slots()[`default ${a}`]!
    bed.port.worker.enter(slot, 0)
    await bed.call('PATCH', '/backends', { url: a, state: 'drain', drain: '100ms' })
    await bed.call('PATCH', '/backends', { url: a, state: 'up' })
    await bed.call('PATCH', '/backends', { url: b, state: 'drain', drain: '150ms' })
    await until('the end of the other', () => bed.port.cut.length > 0)
    assert.deepEqual(bed.port.cut, [bed.slots()[`default ${b}`]])
    bed.port.worker.leave(slot)
  })

  it('goes with the state only', async (t) => {
    const bed = await ControlBed.start(t, config)
    const answer = await bed.call('PATCH', '/backends', { url: a, weight: 2, drain: '5m' })
    assert.deepEqual([answer.status, bed.control.inForce.revision], [400, 1])
  })

  it('is forgotten with the backend', async (t) => {
    const bed = await ControlBed.start(t, config)
    await bed.call('PATCH', '/backends', { url: a, state: 'disabled' })
    await bed.call('DELETE', '/backends', { url: a })
    await bed.call('POST', '/backends', { url: a })
    assert.equal(stateOf(bed, a).alive, true)
  })
})

describe('DELETE /backends', () => {
  it('shows until when what is open may stay, and tells when it has ended', async (t) => {
    const bed = await ControlBed.start(t, config)
    const slot = bed.slots()[`default ${a}`]!
    bed.port.worker.enter(slot, 0)
    await bed.call('DELETE', '/backends', { url: a, drain: '1h' })
    assert.ok(Date.parse(stateOf(bed, a).drain_ends_at!) > Date.now() + 3_000_000)
    bed.port.worker.leave(slot)
    await until('it is told', () => bed.events.some(({ type }) => type === 'backend_drained'))
    const types = bed.events.map(({ type }) => type).filter((type) => type.startsWith('backend_'))
    assert.deepEqual(types, ['backend_removed', 'backend_drained'])
  })
})

describe('POST /backends?wait=', () => {
  const checked = { ...config, pools: { default: { backends: [a] } } }

  it('answers when the first health check has passed', async (t) => {
    const bed = await ControlBed.start(t, checked)
    const listener = await SilentListener.start()
    t.after(() => listener.stop())
    const answer = await bed.call('POST', '/backends?wait=10s', { url: `http://127.0.0.1:${listener.port}` })
    assert.deepEqual([answer.status, answer.json().state], [201, 'up'])
  })

  it('leaves it out again when it does not come up in time', async (t) => {
    const bed = await ControlBed.start(t, checked)
    const url = `http://127.0.0.1:${await refusingPort()}`
    const answer = await within('the answer', bed.call('POST', '/backends?wait=200ms', { url }))
    assert.equal(answer.status, 504, answer.text)
    assert.match(String(answer.json().detail), /did not come up within 200ms: .*ECONNREFUSED.* It is left out again/)
    assert.deepEqual(
      bed.control.snapshot.pools[0]!.backends.map((backend) => backend.url),
      [a],
    )
    assert.deepEqual(bed.control.inForce.changes, [])
    const causes = bed.control.inForce.history.map(({ cause }) => cause)
    assert.deepEqual(causes, ['start', 'POST /backends', 'POST /backends: not up in time'])
  })

  it('lets others pass while it waits, and ends when one of them removes it, whoever adds it again', async (t) => {
    const bed = await ControlBed.start(t, checked)
    const url = `http://127.0.0.1:${await refusingPort()}`
    const waiting = bed.call('POST', '/backends?wait=1h', { url })
    await until('it is there', () => bed.control.snapshot.pools[0]!.backends.length === 2)
    assert.equal((await bed.call('PATCH', '/config', { limits: { header_count: 55 } })).status, 200)
    assert.equal((await bed.call('DELETE', '/backends', { url })).status, 200)
    assert.equal((await bed.call('POST', '/backends', { url })).status, 201)
    const answer = await within('the answer', waiting)
    assert.equal(answer.status, 409, answer.text)
    assert.match(String(answer.json().detail), /was removed by somebody else/)
    assert.equal(bed.control.snapshot.pools[0]!.backends.length, 2, 'that of the other stays')
  })

  it('does not wait where nothing is checked', async (t) => {
    const bed = await ControlBed.start(t, config)
    assert.equal((await bed.call('POST', '/backends?wait=1h', { url: 'http://127.0.0.1:1003' })).status, 201)
  })
})
