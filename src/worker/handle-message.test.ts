// Changes as a data plane is told of them: what has to be waited for, in which order, and what is given up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenerSpec, snapshotOf } from '../../test/support/control-kit.ts'
import { until } from '../../test/support/wait.ts'
import type { Snapshot } from '../core/spec.ts'
import { PluginLoader } from '../plugins/plugin-loader.ts'
import { noPlugins, type PluginRegistry } from '../plugins/registry.ts'
import type { DataPlane, Preparation } from './data-plane.ts'
import { MessageHandler } from './handle-message.ts'
import { OpenError } from './open-error.ts'
import type { FromWorker, ToWorker } from './protocol.ts'
import { deltaOf } from './snapshot-delta.ts'

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
  const running = snapshotOf([], 1)
  const note =
    (name: string) =>
    (value?: unknown): void => {
      done.push(typeof value === 'number' || typeof value === 'string' ? `${name} ${value}` : name)
    }
  /** What preparing does besides; and what committing does. */
  const faults: { prepare: Error | null; commit: Error | null } = { prepare: null, commit: null }
  const generationOf = (preparation: Preparation): number => preparation.built.snapshot.generation
  const plane = {
    snapshot: running,
    prepare: async (snapshot: Snapshot) => {
      note('prepare')(snapshot.generation)
      if (faults.prepare !== null) throw faults.prepare
      return { built: { snapshot }, opened: new Map(), maxClients: 1 }
    },
    commit: (preparation: Preparation) => {
      if (faults.commit !== null) throw faults.commit
      note('commit')(generationOf(preparation))
      plane.snapshot = preparation.built.snapshot
    },
    abandon: (preparation: Preparation) => note('abandon')(generationOf(preparation)),
    setAddresses: note('addresses'),
    setTicketKeys: note('ticket-keys'),
    cutBackend: note('cut'),
    listen: async () => note('listen')(),
    keepSocket: async (name: string) => note('keep')(name),
    takeConnection: note('accepted'),
    drain: note('drain'),
    retire: note('retire'),
    close: note('close'),
    unexpected: (error: unknown) => note(`unexpected ${error}`)(),
  }
  const plugins = new SlowLoader()
  const handler = new MessageHandler({
    plane: plane as unknown as DataPlane,
    plugins,
    answer: (message) => answers.push(message),
  })
  const prepare = (id: number, withPlugins = false): ToWorker => {
    const plugin = { kind: 'plugin', url: `file:///${id}`, label: `./${id}.ts` } as const
    const next = { ...running, generation: id + 1, plugins: withPlugins ? [plugin] : [] }
    return { type: 'prepare', id, delta: deltaOf(running, next), cache: null, unixSockets: [], maxClients: 1 }
  }
  const answered = (count: number): Promise<void> => until(`${count} answers`, () => answers.length >= count)
  return { handler, plugins, done, answers, prepare, answered, faults }
}

test('a change is made ready, and then swapped in at once', async () => {
  const { handler, done, answers, prepare, answered } = stand()
  handler.handle(prepare(1))
  await answered(1)
  assert.deepEqual(answers, [{ type: 'prepared', id: 1, failure: null }])
  handler.handle({ type: 'commit', id: 1 })
  handler.handle({ type: 'cut', slot: 3 })
  assert.deepEqual(done, ['prepare 2', 'commit 2', 'cut 3'])
  assert.deepEqual(answers[1], { type: 'committed', id: 1, error: null })
})

test('while a module is waited for everything else goes on', async () => {
  const { handler, plugins, done, prepare, answered } = stand()
  handler.handle(prepare(1, true))
  await until('the import is begun', () => plugins.imports.length === 1)
  handler.handle({ type: 'addresses', slot: 7, addresses: [] })
  handler.handle({ type: 'accepted', listener: 'web', socket: null as never })
  handler.handle({ type: 'drain' })
  assert.deepEqual(done, ['addresses 7', 'accepted web', 'drain'])
  plugins.imports[0]!.resolve(noPlugins)
  await answered(1)
  assert.equal(done.at(-1), 'prepare 2')
})

test('what was given up before it was ready is given up when it is, and the next one follows', async () => {
  const { handler, plugins, done, answers, prepare, answered } = stand()
  handler.handle(prepare(1, true))
  await until('the import is begun', () => plugins.imports.length === 1)
  handler.handle({ type: 'abandon', id: 1 })
  handler.handle(prepare(2))
  handler.handle(prepare(3))
  handler.handle({ type: 'abandon', id: 2 })
  plugins.imports[0]!.resolve(noPlugins)
  await answered(4)
  assert.deepEqual(done, ['prepare 2', 'abandon 2', 'prepare 4'], 'the second was not even begun')
  assert.deepEqual(
    answers.map((answer) => `${answer.type} ${'id' in answer && answer.id}`),
    ['prepared 1', 'abandoned 1', 'prepared 3', 'abandoned 2'],
  )
  handler.handle({ type: 'abandon', id: 3 })
  handler.handle({ type: 'abandon', id: 3 })
  assert.deepEqual(done.slice(3), ['abandon 4'])
})

test('failures say what failed, and of a socket whose it was to be', async () => {
  const { handler, plugins, answers, prepare, answered, faults } = stand()
  handler.handle(prepare(1, true))
  await until('the import is begun', () => plugins.imports.length === 1)
  plugins.imports[0]!.reject(new Error('./1.ts: broken'))
  await answered(1)
  faults.prepare = new OpenError(listenerSpec().name, Object.assign(new Error('taken'), { code: 'EADDRINUSE' }))
  handler.handle(prepare(2))
  await answered(2)
  const failures = answers.map((answer) => answer.type === 'prepared' && answer.failure)
  assert.deepEqual(failures, [
    { message: './1.ts: broken', listener: '', code: '' },
    { message: 'cannot open listener default: Error: taken', listener: 'default', code: 'EADDRINUSE' },
  ])
})

test('a change that fails at last, or that nobody made ready, is answered as such', async () => {
  const { handler, answers, prepare, answered, faults } = stand()
  handler.handle({ type: 'commit', id: 9 })
  assert.deepEqual(answers, [{ type: 'committed', id: 9, error: 'change 9 was not made ready' }])
  handler.handle(prepare(1))
  await answered(2)
  faults.commit = new Error('impossible')
  handler.handle({ type: 'commit', id: 1 })
  assert.deepEqual(answers[2], { type: 'committed', id: 1, error: 'impossible' })
})

test('sockets are opened in turn, so that none is opened twice', async () => {
  const { handler, plugins, done, prepare, answered } = stand()
  handler.handle(prepare(1, true))
  await until('the import is begun', () => plugins.imports.length === 1)
  handler.handle({ type: 'listen', unixSockets: [] })
  handler.handle({ type: 'keep', listener: 'web', isLive: false })
  plugins.imports[0]!.resolve(noPlugins)
  await answered(3)
  assert.deepEqual(done, ['prepare 2', 'listen', 'keep web'])
})

test('after the end nothing is made ready', async () => {
  const { handler, plugins, done, prepare, answered } = stand()
  handler.handle(prepare(1, true))
  await until('the import is begun', () => plugins.imports.length === 1)
  handler.handle({ type: 'close' })
  plugins.imports[0]!.resolve(noPlugins)
  await answered(1)
  assert.deepEqual(done, ['close', 'prepare 2', 'abandon 2'])
})
