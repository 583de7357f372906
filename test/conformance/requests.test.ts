// Every case of requests/ against a running proxy: at once, and byte by byte.
import assert from 'node:assert/strict'
import { after, before, describe as group, test } from 'node:test'
import { requestLine } from '../support/http-message.ts'
import { type Case, readCases } from './cases.ts'
import {
  announcesClose,
  type Delivery,
  describe,
  type Exchange,
  exchange,
  type Lane,
  Lanes,
  MAX_DRIP,
} from './lanes.ts'

const LANES = 8
const cases = readCases('requests')

group('requests', { concurrency: LANES }, () => {
  let lanes: Lanes
  before(async () => {
    lanes = await Lanes.start(LANES)
  })
  after(() => lanes.close())

  test('the cases are all there', () => assert.ok(cases.length >= 300, `${cases.length} cases`))

  for (const one of cases) {
    const deliveries: Delivery[] = one.bytes.length <= MAX_DRIP ? ['at once', 'byte by byte'] : ['at once']
    for (const delivery of deliveries) {
      test(`${one.group}: ${one.name}, ${delivery}`, () => lanes.with((lane) => run(lane, one, delivery)))
    }
  }
})

async function run(lane: Lane, one: Case, delivery: Delivery): Promise<void> {
  const method = /^[A-Z]+/.exec(one.bytes)?.[0] ?? 'GET'
  const happened = await exchange(lane, one.bytes, method, delivery)
  const problems = [
    ...sane(happened),
    ...{ reject: rejected, normalise: normalised, accept: accepted }[one.expect](one, happened, delivery),
    await lane.checkNewConnection(),
  ].filter((problem) => problem !== null)
  lane.backend.take()
  assert.deepEqual(problems, [], `${one.note} (${one.source}): expected ${one.expect}, ${story(happened)}`)
}

/** What must hold whatever the case expects. */
function sane({ last, arrived, replies }: Exchange): string[] {
  const problems: string[] = []
  if (last.kind === 'hang' || last.kind === 'malformed') problems.push(`the client got ${describe(last)}`)
  for (const bytes of arrived.malformed)
    problems.push(`a malformed request reached the backend: ${bytes.slice(0, 200)}`)
  const answers = replies.filter(({ status }) => status === 200).map(({ body }) => body.toString('latin1'))
  const asked = arrived.requests
    .filter(({ startLine }) => !startLine.startsWith('HEAD '))
    .map((r) => requestLine(r).target)
  if (answers.some((answer, n) => answer !== asked[n] && answer !== '')) {
    problems.push(`the answers ${answers.join(', ')} do not belong to the requests ${asked.join(', ')}`)
  }
  return problems
}

/** A 4xx or 5xx or a close, and nothing of it at the backend. Byte by byte, the sound beginning of a request may have gone on. */
function rejected(_: Case, { replies, arrived }: Exchange, delivery: Delivery): string[] {
  const problems: string[] = []
  if (replies.some(({ status }) => status < 400)) problems.push(`it was answered ${replies[0]?.startLine}`)
  if (replies.length > 1) problems.push(`${replies.length} answers`)
  if (arrived.requests.length > 0) problems.push('a complete request reached the backend')
  if (arrived.incomplete.length > 0 && delivery === 'at once') problems.push('part of it reached the backend')
  return problems
}

/** Refused, or forwarded in the one safe form. */
function normalised(one: Case, happened: Exchange): string[] {
  const { replies, arrived, probe } = happened
  const problems = bounded(one, happened)
  const raw = [...arrived.requests.map((request) => request.raw.toString('latin1')), ...arrived.incomplete].join('')
  for (const pattern of one.forbid)
    if (pattern.test(raw)) problems.push(`the backend got ${pattern}: ${raw.slice(0, 400)}`)
  if (arrived.requests.length > 0) {
    for (const pattern of one.require)
      if (!pattern.test(raw)) problems.push(`the backend did not get ${pattern}: ${raw}`)
  }
  const last = replies.at(-1)
  const answered = last !== undefined && last.status < 400
  if (answered && probe !== 'own' && !announcesClose(last) && one.more.tail !== 'junk') {
    problems.push('the next request on the same connection was lost')
  }
  return problems
}

/** Forwarded as it is, answered in order, and the connection serves the next request. */
function accepted(one: Case, happened: Exchange): string[] {
  const { replies, arrived, probe } = happened
  const problems = normalised(one, happened)
  const count = Number(one.more.upstream)
  if (replies.some(({ status }) => status !== 200))
    problems.push(`it was answered ${replies.map((r) => r.startLine).join(', ')}`)
  if (replies.length !== count) problems.push(`${replies.length} answers instead of ${count}`)
  if (arrived.requests.length !== count) problems.push(`${arrived.requests.length} requests reached the backend`)
  const body = arrived.requests[0]?.body.toString('latin1')
  if (body !== one.more.body) problems.push(`the backend got the body ${JSON.stringify(body)}`)
  const last = replies.at(-1)
  if (probe !== 'own' && !(last !== undefined && announcesClose(last))) problems.push('the connection was not kept')
  return problems
}

function bounded(one: Case, { arrived, replies }: Exchange): string[] {
  const most = Number(one.more.upstream)
  const problems: string[] = []
  if (arrived.requests.length > most)
    problems.push(`${arrived.requests.length} requests reached the backend, not ${most}`)
  if (arrived.incomplete.length > 0 && replies.some(({ status }) => status < 400))
    problems.push('an incomplete request was answered')
  return problems
}

function story({ replies, last, probe, arrived }: Exchange): string {
  const answers = replies.map(({ startLine }) => startLine).join(', ') || 'none'
  const requests =
    arrived.requests.map(({ raw }) => JSON.stringify(raw.toString('latin1', 0, 300))).join(', ') || 'none'
  return `answers: ${answers}; then ${describe(last)}; probe ${probe}; at the backend: ${requests}, ${arrived.incomplete.length} incomplete`
}
