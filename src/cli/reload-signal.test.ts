import assert from 'node:assert/strict'
import { it } from 'node:test'
import { MemoryLog } from '../../test/support/control-kit.ts'
import { until } from '../../test/support/wait.ts'
import type { Running } from '../supervisor/frontdesk.ts'
import { reloadOnHangup } from './reload-signal.ts'
import { ServiceManager } from './service-manager.ts'

it('a HUP while it starts is obeyed when it runs; of several meanwhile one is enough', async (t) => {
  let reloads = 0
  let finish = (): void => undefined
  const reloadFile = () => {
    reloads += 1
    return new Promise((resolve) => {
      finish = () => resolve(undefined)
    })
  }
  let running: Running | undefined
  const before = process.listeners('SIGHUP')
  const manager = new ServiceManager({ env: {}, pids: [], log: new MemoryLog() })
  reloadOnHangup(() => running, manager)
  const [handler] = process.listeners('SIGHUP').filter((one) => !before.includes(one))
  t.after(() => void process.off('SIGHUP', handler!))
  process.kill(process.pid, 'SIGHUP')
  process.emit('SIGHUP')
  assert.equal(reloads, 0)
  running = { reloadFile, listeners: [], admin: null } as unknown as Running
  // The timer of the handler keeps nothing running.
  await until('it is read', () => reloads === 1)
  process.emit('SIGHUP')
  process.emit('SIGHUP')
  finish()
  await until('it is read once more', () => reloads === 2)
  finish()
  process.emit('SIGHUP')
  await until('and again', () => reloads === 3)
  finish()
})
