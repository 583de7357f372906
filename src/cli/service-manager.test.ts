import assert from 'node:assert/strict'
import { it } from 'node:test'
import { MemoryLog } from '../../test/support/control-kit.ts'
import { until } from '../../test/support/wait.ts'
import { ServiceManager } from './service-manager.ts'

function manager(env: NodeJS.ProcessEnv, fails?: Error) {
  const told: string[] = []
  const log = new MemoryLog()
  const send = async (assignments: readonly string[]): Promise<void> => {
    if (fails !== undefined) throw fails
    told.push(assignments[0]!)
  }
  return { told, log, one: new ServiceManager({ env, pids: [7], log, send }) }
}

it('tells in order, each state once, and nothing after the stop', async () => {
  const { told, one } = manager({ NOTIFY_SOCKET: '/run/systemd/notify' })
  one.reloading()
  one.ready('serving')
  one.reloading()
  one.ready('serving')
  one.emit({ type: 'draining', cause: 'SIGTERM' } as never)
  one.stopping()
  one.reloading()
  one.ready('serving')
  await one.sent
  assert.deepEqual(told, ['READY=1', 'RELOADING=1', 'READY=1', 'STOPPING=1'])
})

it('takes the variables away from what is started later, and tells nobody where there is nobody', async () => {
  const env: NodeJS.ProcessEnv = { NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '1', WATCHDOG_PID: '7', PATH: '/bin' }
  assert.equal(manager(env).one.isThere, true)
  assert.deepEqual(env, { PATH: '/bin' })
  const { one, told } = manager(env)
  one.ready('serving')
  await one.sent
  assert.deepEqual([one.isThere, told], [false, []])
})

it('says that it is alive twice in the time that the watchdog gives, if it is the one that is watched', async () => {
  const watched = manager({ NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '4000', WATCHDOG_PID: '7' })
  watched.one.ready('serving')
  // The timer of the test's own keeps it running: that of the manager must not.
  const other = manager({ NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '4000', WATCHDOG_PID: '8' })
  other.one.ready('serving')
  await until('it was said', () => watched.told.length >= 3)
  assert.deepEqual(watched.told.slice(0, 3), ['READY=1', 'WATCHDOG=1', 'WATCHDOG=1'])
  assert.deepEqual(other.told, ['READY=1'])
})

it('says once why nobody could be told, and goes on', async () => {
  const { log, one } = manager({ NOTIFY_SOCKET: '@x' }, Object.assign(new Error('spawn'), { code: 'ENOENT' }))
  one.ready('serving')
  one.stopping()
  await one.sent
  assert.equal(log.events.length, 1)
  assert.match(log.events[0]!.message, /there is no systemd-notify/)
})
