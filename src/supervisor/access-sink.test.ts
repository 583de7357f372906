import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
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
