// Every case of the table against Frontdesk, over real sockets and with a clock that the cases move.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { allCases } from './cases.ts'
import { type FrontdeskTarget, startFrontdeskTarget } from './frontdesk-target.ts'
import { Play } from './play.ts'

const cases = allCases()

describe('the cache, by the RFCs', () => {
  let target: FrontdeskTarget
  before(async () => {
    target = await startFrontdeskTarget(cases)
  })
  after(() => target.close())

  test('the cases are all there', () => assert.ok(cases.length >= 600, `${cases.length} cases`))

  for (const one of cases) {
    test(`${one.id}: ${one.name}`, async () => {
      const problems = await new Play(target, one).run()
      assert.deepEqual(problems, [], `${one.rule.section}: ${one.rule.text}`)
    })
  }
})
