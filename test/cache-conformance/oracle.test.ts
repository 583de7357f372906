// Second opinions on the cases: nginx, Varnish and Traffic Server play those that need no moved clock. It is the table that
// is tested here, and the runner: a case that no other cache confirms has to say why it stands, and so does every case
// that one of them contradicts.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { skipWithout } from '../support/peers.ts'
import { allCases, type Placed } from './cases.ts'
import { alone, deviations, fits } from './oracle/deviations.ts'
import { type Kind, peers } from './oracle/peers.ts'
import { Origin } from './origin.ts'
import { needsNoClock, Play } from './play.ts'

/** What a cache has to say to a case. `asks`: it asks the origin more often, and else agrees. */
type Opinion = { readonly kind: 'agrees' | 'asks' } | { readonly kind: 'differs'; readonly words: string }

/** With fewer than these the table or the set-up of the other cache is wrong. */
const AGREEMENTS: Readonly<Record<string, number>> = { nginx: 340, Varnish: 345, 'Traffic Server': 450 }

/** nginx waits for ever behind a 103; what comes of it elsewhere depends on the version. */
const NOT_ASKED = ['storing/interim-*']

const asked = allCases().filter(
  (one) =>
    needsNoClock(one) &&
    one.route === undefined &&
    !fits(NOT_ASKED, one.id) &&
    !one.steps.some(({ clients, background }) => clients !== undefined || background),
)

const missing = skipWithout(...peers.map(({ program }) => program), 'gcc')

describe('other caches', { skip: missing }, () => {
  const opinions = new Map<string, ReadonlyMap<string, Opinion>>()
  before(async () => {
    const all = await Promise.all(peers.map(async (kind) => [kind.name, await opinionsOf(kind)] as const))
    for (const [name, of] of all) opinions.set(name, of)
  })

  for (const { name } of peers) {
    test(`${name} agrees in most cases`, () => {
      const agreed = [...opinions.get(name)!.values()].filter(({ kind }) => kind === 'agrees').length
      assert.ok(agreed >= AGREEMENTS[name]!, `${agreed} of ${asked.length}`)
    })

    test(`${name} contradicts no case without a reason`, () => {
      const patterns = deviations.filter(({ peer }) => peer === name).flatMap((one) => one.cases)
      const unexplained = asked
        .map((one) => ({ one, opinion: opinions.get(name)!.get(one.id)! }))
        .filter(({ one, opinion }) => opinion.kind === 'differs' && one.choice === undefined && !fits(patterns, one.id))
        .map(({ one, opinion }) => `${one.id}: ${opinion.kind === 'differs' ? opinion.words : ''}`)
      assert.deepEqual(unexplained, [])
    })
  }

  test('every case is confirmed by one of them, or says why not', () => {
    const known = Object.values(alone).flat()
    const unconfirmed = asked.filter(
      ({ id, choice }) =>
        choice === undefined && !fits(known, id) && ![...opinions.values()].some((of) => of.get(id)!.kind === 'agrees'),
    )
    assert.deepEqual(
      unconfirmed.map(({ id }) => id),
      [],
    )
  })
})

async function opinionsOf(kind: Kind): Promise<ReadonlyMap<string, Opinion>> {
  const origin = await new Origin().up()
  const peer = await kind.start(origin)
  const opinions = new Map<string, Opinion>()
  try {
    for (const one of asked) opinions.set(one.id, await opinionOn(one, new Play(peer, one)))
  } finally {
    await peer.close()
    await origin.close()
  }
  return opinions
}

async function opinionOn(one: Placed, play: Play): Promise<Opinion> {
  const observed = await play.observe()
  const problems = observed.map((each) => play.core(each))
  const words = problems.flat().join('; ')
  if (words === '') return { kind: 'agrees' }
  // From the first step on which it asks more the answers have other numbers: nothing more can be said.
  const first = observed.findIndex((_, at) => problems[at]!.length > 0)
  const { seen, step } = observed[first]!
  const asksMore = seen.length > play.wanted(step) || problems[first]!.some((problem) => problem.includes('condition'))
  return asksMore ? { kind: 'asks' } : { kind: 'differs', words: `${one.rule.section}, step ${first + 1}: ${words}` }
}
