// The order of messages while plug-ins are being imported.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { snapshotOf } from '../../test/support/control-kit.ts'
import type { Snapshot } from '../core/spec.ts'
import { PluginLoader } from '../plugins/plugin-loader.ts'
import type { PluginRegistry } from '../plugins/registry.ts'
import { noPlugins } from '../plugins/registry.ts'
import type { DataPlane } from './data-plane.ts'
import { MessageHandler } from './handle-message.ts'
import type { FromWorker, ToWorker } from './protocol.ts'

/** Imports when the test says so. */
class SlowLoader extends PluginLoader {
  readonly imports: PromiseWithResolvers<PluginRegistry>[] = []
  override find(specs: Snapshot['plugins']): PluginRegistry | null {
    return specs.length === 0 ? noPlugins : null
  }
  override load(): Promise<PluginRegistry> {
    const gate = Promise.withResolvers<PluginRegistry>()
    this.imports.push(gate)
    return gate.promise
  }
}

function stand() {
  const done: string[] = []
  const answers: FromWorker[] = []
  const note =
    (name: string) =>
    (value?: unknown): void => {
      done.push(typeof value === 'number' || typeof value === 'string' ? `${name} ${value}` : name)
    }
  const plane = {
    apply: ({ generation }: Snapshot) => note('apply')(generation),
    setAddresses: note('addresses'),
    setTicketKeys: note('ticket-keys'),
    cutBackend: note('cut'),
    openListener: async (name: string) => note('keep')(name),
    takeConnection: note('accepted'),
    drain: note('drain'),
    close: note('close'),
  }
  const plugins = new SlowLoader()
  const handler = new MessageHandler({
    plane: plane as unknown as DataPlane,
    plugins,
    answer: (message) => answers.push(message),
  })
  const apply = (id: number, withPlugins: boolean): ToWorker => ({
    type: 'apply',
    id,
    snapshot: {
      ...snapshotOf([], id),
      plugins: withPlugins ? [{ kind: 'plugin', url: `file:///${id}`, label: `./${id}.ts` }] : [],
    },
  })
  return { handler, plugins, done, answers, apply }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('without modules to import everything is done at once', () => {
  const { handler, done, answers, apply } = stand()
  handler.handle(apply(1, false))
  handler.handle({ type: 'cut', slot: 3 })
  assert.deepEqual(done, ['apply 1', 'cut 3'])
  assert.deepEqual(answers, [{ type: 'applied', id: 1, error: null }])
})

test('what depends on a snapshot waits for it; connections and the end do not', async () => {
  const { handler, plugins, done, answers, apply } = stand()
  handler.handle(apply(1, true))
  handler.handle({ type: 'addresses', slot: 7, addresses: [] })
  handler.handle(apply(2, true))
  handler.handle({ type: 'cut', slot: 7 })
  handler.handle(apply(3, false))
  handler.handle({ type: 'accepted', listener: 'web', socket: null as never })
  handler.handle({ type: 'drain' })
  assert.deepEqual(done, ['accepted web', 'drain'])
  plugins.imports[0]!.resolve(noPlugins)
  await settle()
  assert.deepEqual(done.splice(0), ['accepted web', 'drain', 'apply 1', 'addresses 7'])
  plugins.imports[1]!.resolve(noPlugins)
  await settle()
  assert.deepEqual(done, ['apply 2', 'cut 7', 'apply 3'])
  assert.deepEqual(
    answers.map((answer) => answer.type === 'applied' && answer.id),
    [1, 2, 3],
  )
})

test('an import that fails is answered, and the next go on', async () => {
  const { handler, plugins, done, answers, apply } = stand()
  handler.handle(apply(1, true))
  handler.handle(apply(2, false))
  plugins.imports[0]!.reject(new Error('./1.ts: broken'))
  await settle()
  assert.deepEqual(done, ['apply 2'])
  assert.deepEqual(answers, [
    { type: 'applied', id: 1, error: './1.ts: broken' },
    { type: 'applied', id: 2, error: null },
  ])
})

test('after the end nothing is applied', async () => {
  const { handler, plugins, done, apply } = stand()
  handler.handle(apply(1, true))
  handler.handle(apply(2, false))
  handler.handle({ type: 'close' })
  plugins.imports[0]!.resolve(noPlugins)
  await settle()
  assert.deepEqual(done, ['close'])
})
