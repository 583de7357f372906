import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { hashSync } from 'bcryptjs'
import { cheapHash } from '../../../../test/support/cheap-hash.ts'
import { type Fields, TestRequest } from '../../../../test/support/request-view.ts'
import { within } from '../../../../test/support/wait.ts'
import type { Answer, Middleware } from '../../../core/plugin.ts'
import type { BasicAuthSpec } from '../../../core/route-spec.ts'
import { isRefusal } from '../refusal.ts'
import { basicAuth } from './basic-auth.ts'
import { PasswordVerifier, type Question, type Verdict } from './password-verifier.ts'

/** Keeps what it was asked. */
class WatchedVerifier extends PasswordVerifier {
  readonly asked: Question[] = []
  override verify(question: Question): Verdict | Promise<Verdict> {
    this.asked.push(question)
    return super.verify(question)
  }
}

let verifier = new WatchedVerifier({ onProblem: () => {} })
afterEach(() => {
  verifier.close()
  verifier = new WatchedVerifier({ onProblem: () => {} })
})

const spec: BasicAuthSpec = {
  realm: 'the "back" office',
  users: [
    { name: 'ann', hash: cheapHash('secret') },
    { name: 'jos\u00e9', hash: cheapHash('p\u00e4ss:wort') },
    { name: 'bob', hash: hashSync('bobs', 4) },
  ],
  userHeader: 'x-user',
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

async function run(middleware: Middleware, fields: Fields): Promise<[TestRequest, Answer | undefined]> {
  const request = new TestRequest({ fields })
  const answer = await within('an answer', Promise.resolve(middleware.onRequest?.(request)))
  return [request, answer ?? undefined]
}

function assertUnauthorized(answer: Answer | undefined): void {
  assert.equal(answer?.status, 401)
  assert.equal(answer.headers?.['WWW-Authenticate'], 'Basic realm="the \\"back\\" office", charset="UTF-8"')
  assert.ok(isRefusal(answer) && answer.error.name === 'unauthorized')
}

test('who has the password goes on, and the backend is told who it is', async () => {
  const middleware = basicAuth(spec, verifier)
  const cases = { 'ann:secret': 'ann', 'jose\u0301:pa\u0308ss:wort': 'jos%C3%A9', 'bob:bobs': 'bob' }
  for (const [given, told] of Object.entries(cases)) {
    const authorization = ['Authorization', basic(given)] as const
    const [request, answer] = await run(middleware, [authorization, ['Accept', '*/*']])
    assert.equal(answer, undefined)
    assert.deepEqual(request.forBackend, [authorization, ['Accept', '*/*'], ['x-user', told]])
    assert.equal(request.state.get('user'), decodeURIComponent(told))
  }
})

test('everybody else gets 401 with the challenge', async () => {
  const middleware = basicAuth(spec, verifier)
  const wrong: Fields[] = [
    [],
    [['Authorization', '']],
    [['Authorization', 'Bearer xyz']],
    [['Authorization', basic('ann')]],
    [['Authorization', basic('ann:')]],
    [['Authorization', basic('ann:Secret')]],
    [['Authorization', basic('Ann:secret')]],
    [['Authorization', basic('bob:secret')]],
    [['Authorization', basic('nobody:secret')]],
    [['Authorization', basic('__proto__:secret')]],
    [['Authorization_', basic('ann:secret')]],
    [
      ['Authorization', basic('ann:secret')],
      ['Authorization', basic('ann:secret')],
    ],
  ]
  for (const fields of wrong) {
    const [request, answer] = await run(middleware, fields)
    assertUnauthorized(answer)
    assert.equal(request.state.has('user'), false)
  }
})

test('what the client says of who it is never gets through, however it spells the name (CVE-2026-30851, CVE-2026-52845)', async () => {
  const middleware = basicAuth(spec, verifier)
  const spoofed: Fields = [
    ['X-User', 'admin'],
    ['x_user', 'admin'],
    ['X_USER', 'admin'],
    ['X-User', 'root'],
  ]
  const [request] = await run(middleware, [...spoofed, ['Authorization', basic('ann:secret')]])
  assert.deepEqual(request.forBackend.slice(1), [['x-user', 'ann']])
  const [refused, answer] = await run(middleware, spoofed)
  assertUnauthorized(answer)
  assert.deepEqual(refused.forBackend, [])
})

test('without user_header the backend is told nothing, and nothing is taken', async () => {
  const middleware = basicAuth({ ...spec, userHeader: '' }, verifier)
  const fields: Fields = [
    ['X-User', 'mine'],
    ['Authorization', basic('ann:secret')],
  ]
  const [request, answer] = await run(middleware, fields)
  assert.equal(answer, undefined)
  assert.deepEqual(request.forBackend, fields)
})

test('somebody unknown takes the path of somebody known: a hash of the same cost, which no password has', async () => {
  const middleware = basicAuth(spec, verifier)
  const costs = new Set<string>()
  for (let at = 0; at < 40; at++) {
    const [, answer] = await run(middleware, [['Authorization', basic(`nobody${at}:secret`)]])
    assertUnauthorized(answer)
    const { hash } = verifier.asked.at(-1)!
    assert.ok(spec.users.some((user) => user.hash.slice(0, 29) === hash.slice(0, 29) && user.hash !== hash))
    costs.add(hash.slice(0, 7))
  }
  assert.equal(verifier.computed, 40, 'each was computed')
  assert.deepEqual(costs, new Set(['$scrypt', '$2b$04$']), 'as mixed as the list')
  const again = basicAuth(spec, verifier)
  const [first] = verifier.asked
  await run(again, [['Authorization', basic('nobody0:secret')]])
  assert.equal(verifier.asked.at(-1)?.hash, first?.hash, 'the same for the same name')
})

test('a right password is known at once the next time, by another instance too: after a reload nobody waits', async () => {
  await run(basicAuth(spec, verifier), [['Authorization', basic('ann:secret')]])
  const request = new TestRequest({ fields: [['Authorization', basic('ann:secret')]] })
  assert.equal(basicAuth(spec, verifier).onRequest?.(request), undefined)
  assert.equal(verifier.computed, 1)
})

test('too many at once: 503, not 401', async () => {
  verifier = new WatchedVerifier({ onProblem: () => {}, maxWaiting: 1 })
  const middleware = basicAuth(spec, verifier)
  const all = ['a', 'b', 'c', 'd'].map((password) => run(middleware, [['Authorization', basic(`ann:${password}`)]]))
  const statuses = (await Promise.all(all)).map(([, answer]) => answer?.status)
  assert.deepEqual(statuses, [401, 401, 503, 503])
})

test('no answer and no problem repeats what was given', async () => {
  const problems: unknown[] = []
  verifier = new WatchedVerifier({ onProblem: (error) => problems.push(error) })
  const broken = basicAuth({ ...spec, users: [{ name: 'ann', hash: '$scrypt$nonsense' }] }, verifier)
  const [, answer] = await run(broken, [['Authorization', basic('ann:hunter2')]])
  assert.equal(answer?.status, 503)
  assert.equal(problems.length, 1)
  const told = JSON.stringify(answer) + String(problems[0])
  assert.doesNotMatch(told, /hunter2|\bann\b|nonsense|YW5u/)
})
