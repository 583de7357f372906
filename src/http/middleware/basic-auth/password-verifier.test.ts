import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { hashSync } from 'bcryptjs'
import { cheapHash } from '../../../../test/support/cheap-hash.ts'
import { within } from '../../../../test/support/wait.ts'
import { PasswordVerifier, type Question, type Verdict, type VerifierOptions } from './password-verifier.ts'

let open: PasswordVerifier[] = []
const problems: unknown[] = []

function start(options: Partial<VerifierOptions> = {}): PasswordVerifier {
  const verifier = new PasswordVerifier({ onProblem: (error) => problems.push(error), ...options })
  open.push(verifier)
  return verifier
}

afterEach(() => {
  for (const verifier of open) verifier.close()
  open = []
  assert.deepEqual(problems.splice(0), [])
})

const hash = cheapHash('secret')
const ask = (over: Partial<Question> = {}): Question => ({
  user: 'ann',
  password: 'secret',
  hash,
  client: '::1',
  ...over,
})
const settled = (verdict: Verdict | Promise<Verdict>): Promise<Verdict> => within('a verdict', Promise.resolve(verdict))

test('scrypt and bcrypt, right and wrong', async () => {
  const verifier = start()
  for (const hashed of [hash, ...['a', 'b', 'y'].map((v) => hashSync('secret', 4).replace('$2b$', `$2${v}$`))]) {
    assert.equal(await settled(verifier.verify(ask({ hash: hashed }))), true, hashed)
    assert.equal(await settled(verifier.verify(ask({ hash: hashed, password: 'Secret' }))), false, hashed)
    assert.equal(await settled(verifier.verify(ask({ hash: hashed, password: '' }))), false, hashed)
  }
})

test('what is known is answered at once, until its time is over', async () => {
  let now = 0
  const verifier = start({ now: () => now })
  assert.equal(await settled(verifier.verify(ask())), true)
  assert.equal(await settled(verifier.verify(ask({ password: 'no' }))), false)
  assert.equal(verifier.verify(ask()), true)
  assert.equal(verifier.verify(ask({ password: 'no' })), false)
  assert.equal(verifier.computed, 2)
  now = 10_000
  assert.equal(verifier.verify(ask()), true)
  assert.equal(await settled(verifier.verify(ask({ password: 'no' }))), false)
  assert.equal(verifier.computed, 3, 'what was wrong is kept for a shorter time')
  now = 300_000
  assert.equal(await settled(verifier.verify(ask())), true)
  assert.equal(verifier.computed, 4)
})

test('what is known of one user, password or hash says nothing of another', async () => {
  const verifier = start()
  assert.equal(await settled(verifier.verify(ask())), true)
  const others = [ask({ user: 'bob' }), ask({ hash: cheapHash('secret') }), ask({ password: 'secre', user: 'annt' })]
  for (const other of others) assert.notEqual(typeof verifier.verify(other), 'boolean')
})

test('those who ask the same at once share one computation', async () => {
  const verifier = start()
  const verdicts = await Promise.all(Array.from({ length: 20 }, () => settled(verifier.verify(ask()))))
  assert.deepEqual(new Set(verdicts), new Set([true]))
  assert.equal(verifier.computed, 1)
})

test('a flood of wrong passwords waits behind itself, and others still get their turn', async () => {
  const verifier = start({ maxWaiting: 4 })
  const flood = Array.from({ length: 50 }, (_, at) =>
    settled(verifier.verify(ask({ password: `${at}`, client: 'bad' }))),
  )
  assert.equal(verifier.waiting, 4)
  assert.equal(await settled(verifier.verify(ask({ client: 'good' }))), true)
  const verdicts = await Promise.all(flood)
  assert.equal(verdicts.filter((verdict) => verdict === 'busy').length, 46)
  assert.equal(verdicts.filter((verdict) => verdict === false).length, 4)
  assert.equal(await settled(verifier.verify(ask({ password: '49', client: 'bad' }))), false, 'busy is not remembered')
})

test('all addresses of one IPv6 network are one client', async () => {
  const verifier = start({ maxWaiting: 3 })
  const ask64 = (at: number) => ask({ password: `${at}`, client: `2001:db8::${at}` })
  const flood = Array.from({ length: 10 }, (_, at) => settled(verifier.verify(ask64(at + 1))))
  const others = ['2001:db8:0:1::1', '192.0.2.1'].map((client, at) =>
    settled(verifier.verify(ask({ password: `other${at}`, client }))),
  )
  assert.deepEqual(await Promise.all(others), [false, false])
  assert.equal((await Promise.all(flood)).filter((verdict) => verdict === 'busy').length, 8)
})

test('a hash that cannot be computed fails that one question, and is told of without the password', async () => {
  const verifier = start()
  assert.equal(await settled(verifier.verify(ask({ hash: 'nonsense' }))), 'failed')
  assert.equal(await settled(verifier.verify(ask())), true)
  assert.match(String(problems.splice(0)), /no hash of a password/)
})

test('closing answers whoever waits', async () => {
  const verifier = start()
  const all = ['a', 'b', 'c'].map((password) => settled(verifier.verify(ask({ password }))))
  verifier.close()
  assert.deepEqual(await Promise.all(all), ['failed', 'failed', 'failed'])
  assert.equal(verifier.verify(ask()), 'failed')
})
