import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from '../../test/support/wait.ts'
import { AccessSink } from './access-sink.ts'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'frontdesk-access-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

test('a file that cannot be written is tried again, and told of once each way', async (t) => {
  const dir = join(folder(t), 'later')
  const path = join(dir, 'access.log')
  const problems: string[] = []
  const sink = new AccessSink({ path, onProblem: (message) => problems.push(message), retryMs: 0 })
  await until('the failure is told', () => {
    sink.write('lost\n')
    return problems.length > 0
  })
  mkdirSync(dir)
  await until('lines are kept', () => {
    sink.write('kept\n')
    return read(path).includes('kept')
  })
  await sink.close()
  assert.equal(problems.length, 2)
  assert.match(problems[0]!, /ENOENT.*lines are lost until/)
  assert.match(problems[1]!, /is written again/)
})

test('what waits for a slow disk is bounded', async (t) => {
  const path = join(folder(t), 'access.log')
  const problems: string[] = []
  const sink = new AccessSink({ path, onProblem: (message) => problems.push(message), maxWaitingBytes: 10 })
  // Nothing is on disk before the file is open, which takes a turn of the event loop.
  sink.write('first line\n')
  sink.write('one too many\n')
  sink.write('one too many\n')
  await sink.close()
  assert.equal(read(path), 'first line\n')
  assert.match(problems[0]!, /the disk is too slow/)
})

test('closing after a failure ends', async (t) => {
  const problems: string[] = []
  const path = join(folder(t), 'nowhere', 'access.log')
  const sink = new AccessSink({ path, onProblem: (message) => problems.push(message) })
  sink.write('lost\n')
  await sink.close()
  await until('the failure is told', () => problems.length === 1)
  await sink.close()
})

test('a rotation loses no line, however many are on their way', async (t) => {
  const dir = folder(t)
  const path = join(dir, 'access.log')
  const sink = new AccessSink({ path, onProblem: (message) => assert.fail(message) })
  const line = (i: number): string => `${i} ${'x'.repeat(1000)}\n`
  for (let i = 0; i < 3000; i++) {
    sink.write(line(i))
    if (i % 500 !== 499) continue
    // The first of them is there, others wait: as when a log rotates under load.
    await until('the file is there', () => existsSync(path))
    renameSync(path, `${path}.${i}`)
    sink.reopen()
  }
  await sink.close()
  const all = readdirSync(dir).flatMap((name) => read(join(dir, name)).split('\n').slice(0, -1))
  assert.equal(readdirSync(dir).length, 7)
  assert.deepEqual(new Set(all.map((text) => Number(text.split(' ')[0]))).size, 3000)
  assert.ok(all.every((text, i) => text.length > 1000 || assert.fail(`line ${i} is cut`)))
})

test('another file from now on, none, and one again', async (t) => {
  const dir = folder(t)
  const [first, second] = [join(dir, 'a.log'), join(dir, 'b.log')]
  const sink = new AccessSink({ path: first, onProblem: (message) => assert.fail(message) })
  sink.write('1\n')
  sink.update(second)
  sink.write('2\n')
  sink.update(undefined)
  sink.write('nowhere\n')
  sink.update(second)
  sink.write('3\n')
  sink.update(second)
  await sink.close()
  assert.deepEqual([read(first), read(second)], ['1\n', '2\n3\n'])
})
