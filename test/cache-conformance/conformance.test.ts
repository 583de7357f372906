// Every case of the table against Frontdesk, over real sockets and with a clock that the cases move.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { allCases, type Placed } from './cases.ts'
import { type FrontdeskTarget, startFrontdeskTarget } from './frontdesk-target.ts'
import { Play } from './play.ts'

const cases = allCases()
/** A case takes a few; ages are counted in seconds. */
const HELD_UP_MS = 500

describe('the cache, by the RFCs', () => {
  test('the cases are all there', () => assert.ok(cases.length >= 700, `${cases.length} cases`))
  playAll(cases, 0)
})

/** What one worker has stored, validated or invalidated holds for the other. */
const SHARED = /^(reuse|vary|stale|validation|updating|invalidation)\//

describe('the same over two workers, each step on a connection of its own', () => {
  // Of ten clients at once that get what is stale the last may get what the first have had fetched.
  const shared = cases.filter(
    ({ id, steps }) => SHARED.test(id) && !steps.some((step) => step.background && step.clients),
  )
  playAll(shared, 2)
})

function playAll(of: readonly Placed[], workers: number): void {
  let target: FrontdeskTarget
  before(async () => {
    target = await startFrontdeskTarget(of, workers)
  })
  after(() => target.close())
  for (const one of of) {
    test(`${one.id}: ${one.name}`, async () => {
      const play = (): Promise<string[]> => new Play(target, one, workers === 0 ? 'kept' : 'new').run()
      const startedAt = performance.now()
      let problems = await play()
      // Time passes by itself, too: a case that a busy machine has held up for so long says nothing of ages.
      if (problems.length > 0 && performance.now() - startedAt > HELD_UP_MS) {
        target.forget()
        problems = await play()
      }
      assert.deepEqual(problems, [], `${one.rule.section}: ${one.rule.text}`)
    })
  }
}
