import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstat, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { plainCopy } from '../../../test/support/plain-copy.ts'
import { type Log, silentLog } from '../../core/log.ts'
import { type FileSystem, nodeFileSystem, type OpenFile } from './file-system.ts'
import { decodeState, encodeState } from './state-codec.ts'
import type { StateDocument } from './state-document.ts'
import { StateStore, StoreError } from './state-store.ts'

const document = (revision: number): StateDocument => ({
  revision,
  stickySecret: 'cd'.repeat(32),
  changes: [
    {
      path: ['pools', 'default', 'backends', 'http://10.0.0.9:81'],
      value: { url: 'http://10.0.0.9:81', weight: 3 },
      after: null,
      at: '2026-01-02T03:04:05.678Z',
      by: 'admin API (127.0.0.1)',
      revision: 2,
    },
  ],
  states: { default: { 'http://[::1]:82': { state: 'drain', drainEndsAt: '2026-01-02T04:04:05.678Z' } } },
  history: [
    {
      revision: 2,
      at: '2026-01-02T03:04:05.678Z',
      by: 'admin API (127.0.0.1)',
      cause: 'POST /backends',
      changes: ['pool default: added http://10.0.0.9:81'],
      undo: {
        differences: [{ path: ['pools', 'default', 'backends', 'http://10.0.0.9:81'], base: 'http://10.0.0.9:81' }],
        states: [{ pool: 'default', url: 'http://[::1]:82', said: null }],
      },
    },
  ],
})

class RecordingLog implements Log {
  readonly names: string[] = []
  event(_level: string, name: string): void {
    this.names.push(name)
  }
}

const failure = (code: string): Error => Object.assign(new Error(code), { code })

/** A disk on which one kind of operation fails while `fail` names it. */
class FailingDisk implements FileSystem {
  fail: { operation: 'open' | 'write' | 'sync' | 'close' | 'rename' | 'sync-folder'; code: string } | null = null
  #check(operation: string): void {
    if (this.fail?.operation === operation) throw failure(this.fail.code)
  }
  readFile = nodeFileSystem.readFile
  unlink = nodeFileSystem.unlink
  async rename(from: string, to: string): Promise<void> {
    this.#check('rename')
    await nodeFileSystem.rename(from, to)
  }
  async open(path: string, flags: 'w' | 'r'): Promise<OpenFile> {
    if (flags === 'w') this.#check('open')
    const file = await nodeFileSystem.open(path, flags)
    return {
      writeFile: async (text) => {
        // What a full disk does: some of it arrives, then the error.
        if (this.fail?.operation === 'write') await file.writeFile(text.slice(0, 20))
        this.#check('write')
        await file.writeFile(text)
      },
      sync: async () => {
        this.#check(flags === 'w' ? 'sync' : 'sync-folder')
        await file.sync()
      },
      close: async () => {
        await file.close()
        if (flags === 'w') this.#check('close')
      },
    }
  }
}

describe('StateStore', () => {
  let folder: string
  let path: string
  let counter = 0
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'frontdesk-store-'))
  })
  beforeEach(() => {
    path = join(folder, `${(counter += 1)}.state.json`)
  })
  after(() => rm(folder, { recursive: true }))

  it('gives back what was saved', async () => {
    const { store, document: none } = await StateStore.open({ path, log: silentLog })
    assert.equal(none, null)
    await store.save(document(1))
    await store.save(document(2))
    const again = await StateStore.open({ path, log: silentLog })
    assert.deepEqual(again.document, document(2))
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith(`${counter}.`)),
      [`${counter}.state.json`],
    )
  })

  it('does not overwrite what another process has acknowledged', async () => {
    const log = new RecordingLog()
    const { store: first } = await StateStore.open({ path, log })
    const { store: second } = await StateStore.open({ path, log })
    await first.save(document(1))
    await assert.rejects(second.save(document(7)), (error: StoreError) => {
      return error.code === 'ECHANGED' && /changed by another program/.test(error.message)
    })
    await first.save(document(2))
    assert.deepEqual(decodeState(await readFile(path)), { document: document(2) })
    // Removed by hand: nothing of anybody is lost.
    await rm(path)
    await second.save(document(8))
    assert.deepEqual(decodeState(await readFile(path)), { document: document(8) })
  })

  it('goes on after a save that failed and could not be undone', async () => {
    const disk = new FailingDisk()
    const { store } = await StateStore.open({ path, log: new RecordingLog(), fileSystem: disk })
    await store.save(document(1))
    disk.fail = { operation: 'sync-folder', code: 'EIO' }
    await assert.rejects(store.save(document(2)), { code: 'EIO' })
    disk.fail = null
    await store.save(document(3))
    assert.deepEqual(decodeState(await readFile(path)), { document: document(3) })
  })

  it('is readable by its owner only, and never written through a link or into a file that lay in the way', async () => {
    const { store } = await StateStore.open({ path, log: new RecordingLog() })
    const other = join(folder, 'other')
    await writeFile(other, 'of somebody else')
    await symlink(other, `${path}.tmp`)
    await store.save(document(1))
    assert.equal(await readFile(other, 'utf8'), 'of somebody else')
    assert.equal((await lstat(path)).isFile(), true)
    await writeFile(`${path}.tmp`, 'left by a crash', { mode: 0o644 })
    await store.save(document(2))
    assert.equal((await lstat(path)).mode & 0o777, 0o600)
    assert.deepEqual(decodeState(await readFile(path)), { document: document(2) })
  })

  it('writes queued saves in order, one at a time', async () => {
    let open = 0
    let most = 0
    const fileSystem: FileSystem = {
      ...nodeFileSystem,
      open: async (name, flags) => {
        if (flags === 'r') return nodeFileSystem.open(name, flags)
        most = Math.max(most, (open += 1))
        const file = await nodeFileSystem.open(name, flags)
        return {
          writeFile: (text) => file.writeFile(text),
          sync: () => file.sync(),
          close: () => file.close().finally(() => (open -= 1)),
        }
      },
    }
    const { store } = await StateStore.open({ path, log: silentLog, fileSystem })
    const done: number[] = []
    const saves = Array.from({ length: 20 }, (_, i) => store.save(document(i)).then(() => done.push(i)))
    await Promise.all(saves)
    assert.equal(most, 1)
    assert.deepEqual(done, [...done.keys()])
    assert.equal((await StateStore.open({ path, log: silentLog })).document?.revision, 19)
  })

  it('tells a file cut at any byte from a whole one', () => {
    const whole = Buffer.from(encodeState(document(7)))
    for (let length = 0; length < whole.length; length++) {
      const decoded = decodeState(whole.subarray(0, length))
      assert.ok('problem' in decoded, `cut at ${length} was accepted`)
    }
    assert.ok('document' in decodeState(whole))
  })

  it('tells a file with any byte changed from a whole one', () => {
    const whole = Buffer.from(encodeState(document(7)))
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole)
      bytes[at] = bytes[at]! ^ 1
      assert.ok('problem' in decodeState(bytes), `a flipped bit at ${at} was accepted`)
    }
  })

  for (const [what, content] of [
    ['torn', encodeState(document(3)).slice(0, 150)],
    ['foreign', '{"hello": "world"}\n'],
    ['newer', encodeState(document(3)).replace('"version":2', '"version":3')],
    ['empty', ''],
    ['binary', '\u0000\u0001\n\u0002'],
  ] as const) {
    it(`keeps a ${what} file aside, reports it and starts anew`, async () => {
      await writeFile(path, content)
      const log = new RecordingLog()
      const now = () => new Date('2026-01-02T03:04:05.678Z')
      const { store, document: read } = await StateStore.open({ path, log, now })
      assert.equal(read, null)
      assert.deepEqual(log.names, ['state_file_broken'])
      assert.equal(await readFile(`${path}.broken-2026-01-02T03-04-05-678Z`, 'utf8'), content)
      await store.save(document(1))
      assert.equal((await StateStore.open({ path, log })).document?.revision, 1)
    })
  }

  it('keeps a file aside that it cannot read', async () => {
    await writeFile(path, encodeState(document(4)))
    const fileSystem = { ...nodeFileSystem, readFile: () => Promise.reject(failure('EIO')) }
    const log = new RecordingLog()
    const { store, document: read } = await StateStore.open({ path, log, fileSystem })
    assert.equal(read, null)
    assert.deepEqual(log.names, ['state_file_broken'])
    await store.save(document(1))
    assert.equal((await StateStore.open({ path, log })).document?.revision, 1)
    const aside = (await readdir(folder)).find((name) => name.startsWith(`${counter}.state.json.broken-`))
    assert.equal(await readFile(join(folder, aside!), 'utf8'), encodeState(document(4)))
  })

  it('never overwrites a broken file that it could not keep aside', async () => {
    await writeFile(path, 'not ours')
    const disk = new FailingDisk()
    disk.fail = { operation: 'rename', code: 'EACCES' }
    const log = new RecordingLog()
    const { store } = await StateStore.open({ path, log, fileSystem: disk })
    disk.fail = null
    await assert.rejects(store.save(document(1)), StoreError)
    assert.deepEqual(log.names, ['state_file_blocked'])
    assert.equal(await readFile(path, 'utf8'), 'not ours')
  })

  for (const code of ['ENOSPC', 'EIO']) {
    for (const operation of ['open', 'write', 'sync', 'close', 'rename', 'sync-folder'] as const) {
      it(`answers ${code} at ${operation} with an error and leaves the old state`, async () => {
        const disk = new FailingDisk()
        const { store } = await StateStore.open({ path, log: silentLog, fileSystem: disk })
        await store.save(document(1))
        disk.fail = { operation, code }
        await assert.rejects(store.save(document(2)), (error) => error instanceof StoreError && error.code === code)
        disk.fail = null
        assert.equal((await StateStore.open({ path, log: silentLog })).document?.revision, 1)
        await store.save(document(3))
        assert.equal((await StateStore.open({ path, log: silentLog })).document?.revision, 3)
      })
    }
  }

  it('loses no acknowledged change over 200 kills', { timeout: 120_000 }, async () => {
    const program = await plainCopy(new URL('../../../test/support/store-writer.ts', import.meta.url), folder)
    let kills = 0
    let random = 12345
    const nextRandom = () => (random = (Math.imul(random, 1103515245) + 12345) >>> 0) >>> 8
    let acknowledged = 0
    const lane = async () => {
      const file = join(folder, `kill-${nextRandom()}.state.json`)
      let last = 0
      while ((kills += 1) <= 200) {
        last = await killOnce(program, file, last, nextRandom() % 12, nextRandom() % 3)
        acknowledged += 1
      }
    }
    await Promise.all([lane(), lane()])
    assert.equal(acknowledged, 200)
  })
})

/** Runs the program, kills it some milliseconds after `acks` acknowledgements, checks the file; gives the revision read. */
async function killOnce(program: string, path: string, from: number, acks: number, delayMs: number): Promise<number> {
  const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  let armed = false
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    output += text
    if (armed || output.split('\n').length - 1 < acks) return
    armed = true
    if (delayMs === 0) child.kill('SIGKILL')
    else setTimeout(() => child.kill('SIGKILL'), delayMs)
  })
  await once(child, 'close')
  const printed = output.slice(0, output.lastIndexOf('\n')).split('\n')
  const last = Number(printed.at(-1))
  assert.ok(last > from, `the program went on from ${from}, not ${output}`)
  const log = new RecordingLog()
  const { document: found } = await StateStore.open({ path, log })
  assert.deepEqual(log.names, [], 'a kill must never leave a broken file')
  assert.ok(found !== null && found.revision >= last, `${last} was acknowledged, ${found?.revision} is there`)
  return found.revision
}
