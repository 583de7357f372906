// What a case of responses/ asks of a proxy, and whether it did so.
import assert from 'node:assert/strict'
import type { Case } from './cases.ts'
import { announcesClose, type Delivery, describe, type Exchange, exchange, type Lane } from './lanes.ts'

/** One case against a running proxy. */
export async function runResponse(lane: Lane, one: Case, delivery: Delivery): Promise<void> {
  const { method = 'GET', client = 'HTTP/1.1', then } = one.more
  assert.ok(then === undefined || then === 'fin' || then === 'rst')
  lane.answer = { bytes: one.bytes, end: then, slowly: delivery === 'byte by byte' }
  const request = `${method} /case ${client}\r\nHost: t.example\r\n\r\n`
  const happened = await exchange(lane, request, method, 'at once')
  const problems = [
    ...sane(happened),
    ...{ reject: rejected, normalise: normalised, accept: accepted }[one.expect](one, happened),
    await lane.checkNewConnection(),
  ].filter((problem) => problem !== null)
  lane.backend.take()
  const answers = happened.replies.map(({ startLine }) => startLine).join(', ') || 'none'
  const story = `answers: ${answers}; then ${describe(happened.last)}; probe ${happened.probe}`
  assert.deepEqual(problems, [], `${one.note} (${one.source}): expected ${one.expect}, ${story}`)
}

/** What must hold whatever the case expects: no hang, nothing malformed, one answer, and the next request gets its own. */
function sane({ last, replies, probe }: Exchange): string[] {
  const problems: string[] = []
  if (last.kind === 'hang' || last.kind === 'malformed') problems.push(`the client got ${describe(last)}`)
  if (replies.length > 1) problems.push('the next request on the same connection got something else')
  const only = replies[0]
  if (only !== undefined && probe !== 'own' && !announcesClose(only)) problems.push('the next request was lost')
  return problems
}

/** 502, or the client can see that the message is not complete. */
function rejected(_: Case, { replies }: Exchange): string[] {
  return replies[0] === undefined || replies[0].status === 502 ? [] : [`it was answered ${replies[0].startLine}`]
}

/** Refused as above, or forwarded without what is forbidden and with what is required. */
function normalised(one: Case, { replies, raw }: Exchange): string[] {
  if (replies[0]?.status === 502) return []
  const problems: string[] = []
  for (const pattern of one.forbid)
    if (pattern.test(raw)) problems.push(`the client got ${pattern}: ${raw.slice(0, 400)}`)
  if (replies.length === 0) return problems
  for (const pattern of one.require) if (!pattern.test(raw)) problems.push(`the client did not get ${pattern}: ${raw}`)
  return problems
}

/** The same status and body. */
function accepted(one: Case, happened: Exchange): string[] {
  const reply = happened.replies[0]
  if (reply === undefined) return [`there was no answer: ${describe(happened.last)}`]
  const problems = normalised(one, happened)
  if (reply.status !== Number(one.more.status)) problems.push(`it was answered ${reply.startLine}`)
  const body = reply.body.toString('latin1')
  if (body !== one.more.body) problems.push(`the body was ${JSON.stringify(body.slice(0, 200))}`)
  return problems
}
