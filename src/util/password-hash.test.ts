import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashPassword, parsePasswordHash, type ScryptHash, verifyScrypt } from './password-hash.ts'

/** RFC 7914 §12, third vector: P = "pleaseletmein", S = "SodiumChloride", N = 16384, r = 8, p = 1. */
const RFC_7914 =
  '$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr5' +
  '5h6F3A1lHkDfzwF7RVdYhw'

function scryptOf(text: string): ScryptHash {
  const hash = parsePasswordHash(text)
  assert.ok(hash.kind === 'scrypt')
  return hash
}

test('a hash of the RFC takes its password and no other', () => {
  const hash = scryptOf(RFC_7914)
  assert.deepEqual([hash.ln, hash.r, hash.p, hash.salt.toString()], [14, 8, 1, 'SodiumChloride'])
  assert.equal(verifyScrypt('pleaseletmein', hash), true)
  assert.equal(verifyScrypt('pleaseletmeix', hash), false)
})

test('a new hash takes its password, however the letters were composed, and never looks like the one before', () => {
  const [one, other] = [hashPassword('pa\u0308ss:wort'), hashPassword('pa\u0308ss:wort')]
  assert.match(one, /^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.notEqual(one, other)
  assert.equal(verifyScrypt('p\u00e4ss:wort', scryptOf(one)), true)
  assert.equal(verifyScrypt('pass:wort', scryptOf(one)), false)
})

test('bcrypt as htpasswd and others write it', () => {
  for (const version of ['2a', '2b', '2y']) {
    const settings = `$${version}$10$abcdefghijklmnopqrstuu`
    const expected = 'Z0tcGZxvYk1fBY4dq3YNCqSgS0hC.3i'
    assert.deepEqual(parsePasswordHash(settings + expected), { kind: 'bcrypt', settings, expected })
  }
})

test('weak, foreign and broken hashes are refused by name and never repeated', () => {
  const salt = 'aaaaaaaaaaaaaaaaaaaaaa'
  const cases: readonly (readonly [string, RegExp])[] = [
    ['$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00', /MD5.*hash-password/],
    ['{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', /SHA-1.*htpasswd -nB/],
    ['{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', /SHA-1/],
    ['$6$rounds=5000$x$y', /crypt\(3\)/],
    ['$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA', /Argon2/],
    ['hunter2', /no hash of a password/],
    ['', /no hash of a password/],
    [`$2x$10$${salt}Z0tcGZxvYk1fBY4dq3YNCqSgS0hC.3i`, /no hash/],
    [`$2b$17$${salt}Z0tcGZxvYk1fBY4dq3YNCqSgS0hC.3i`, /4 to 16/],
    [`$2b$03$${salt}Z0tcGZxvYk1fBY4dq3YNCqSgS0hC.3i`, /4 to 16/],
    [`$scrypt$ln=0,r=8,p=1$${salt}$${salt}`, /at least 1/],
    [`$scrypt$ln=16,r=1,p=1$${salt}$${salt}`, /less than 16 times r/],
    [`$scrypt$ln=19,r=8,p=1$${salt}$${salt}`, /256 MB/],
    [`$scrypt$ln=17,r=8,p=9$${salt}$${salt}`, /some seconds/],
    [`$scrypt$ln=14,r=8,p=1$short$${salt}`, /no hash/],
    [`$scrypt$ln=14,r=8,p=1$${salt}$${salt}\n`, /no hash/],
  ]
  for (const [text, message] of cases) {
    assert.throws(
      () => parsePasswordHash(text),
      (error: Error) => {
        assert.match(error.message, message)
        assert.ok(text === '' || !error.message.includes(text), 'the hash is not repeated')
        return true
      },
    )
  }
})

test('what is taken can be computed: whatever ln, r and p', () => {
  const salt = 'aaaaaaaaaaaaaaaaaaaaaa'
  const cost = fc.record({
    ln: fc.integer({ min: 1, max: 10 }),
    r: fc.integer({ min: 1, max: 16 }),
    p: fc.integer({ min: 1, max: 8 }),
  })
  fc.assert(
    fc.property(cost, fc.string({ unit: 'binary' }), ({ ln, r, p }, password) => {
      const hash = scryptOf(`$scrypt$ln=${ln},r=${r},p=${p}$${salt}$${salt}`)
      assert.equal(verifyScrypt(password, hash), false)
    }),
    { numRuns: 50 },
  )
})
