import assert from 'node:assert/strict'
import { test } from 'node:test'
import { within } from '../../test/support/wait.ts'
import { Answers } from './answers.ts'

test('it is done when the last answer is there, or its worker gone', async () => {
  const answers = new Answers({ limitMs: 60_000, onLate: () => {} })
  answers.expect('commit', 0)
  answers.expect('commit', 1)
  answers.expect('listen', 1)
  const seen: string[] = []
  const all = answers.all().then(() => seen.push('all'))
  answers.answered('commit', 0)
  answers.answered('listen', 1)
  await Promise.resolve()
  assert.deepEqual(seen, [])
  answers.gone(1)
  await within('all answers', all)
})

test('nothing owed is done at once; what fails fails for all', async () => {
  await within('no answers', new Answers({ limitMs: 60_000, onLate: () => {} }).all())
  const answers = new Answers({ limitMs: 60_000, onLate: () => {} })
  answers.expect('prepare', 0)
  answers.failed(new Error('worker 0: no'))
  await assert.rejects(answers.all(), /worker 0: no/)
})

test('whoever is late is named once, and waited for until it is gone', async () => {
  const late: (readonly number[])[] = []
  const onLate = (workers: readonly number[]): void => {
    late.push(workers)
    for (const worker of workers) answers.gone(worker)
  }
  const answers = new Answers({ limitMs: 1, onLate })
  answers.expect('commit', 2)
  answers.expect('listen', 2)
  answers.expect('commit', 3)
  answers.answered('commit', 3)
  await within('the limit', answers.all())
  assert.deepEqual(late, [[2]])
})
