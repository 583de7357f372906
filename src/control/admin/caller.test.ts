import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type AdminAccess, Gate, openAccess } from './caller.ts'
import { FailedTokens } from './failed-tokens.ts'

const address = '10.0.0.7'
const both: AdminAccess = { ...openAccess, token: 'the full token', readToken: 'the other' }

async function roleOf(access: AdminAccess, authorization?: string, certificate: string | null = null): Promise<string> {
  const { caller } = await new Gate(access).judge({ address, authorization, certificate })
  return caller === null ? 'refused' : `${caller.role}: ${caller.who}`
}

describe('Gate', () => {
  it('asks for nothing where nothing is configured', async () => {
    assert.equal(await roleOf(openAccess), 'full: admin API (10.0.0.7)')
    assert.equal(await roleOf(openAccess, 'Bearer whatever'), 'full: admin API (10.0.0.7)')
  })

  it('tells the tokens apart', async () => {
    assert.equal(await roleOf(both, 'Bearer the full token'), 'full: admin API (10.0.0.7, token)')
    assert.equal(await roleOf(both, 'bearer  the other '), 'read: admin API (10.0.0.7, read token)')
    for (const wrong of ['Bearer', 'Bearer ', 'Bearer the full', 'Bearer the full tokens', 'Basic the full token']) {
      assert.match(await roleOf(both, wrong), /^none/, wrong)
    }
    assert.match(await roleOf(both), /^none/)
    assert.match(await roleOf({ ...both, anonymous: 'read' }), /^read/)
    assert.match(await roleOf({ ...both, anonymous: 'read' }, 'Bearer wrong'), /^none/)
  })

  it('takes a certificate in place of the token where it is optional', async () => {
    const access: AdminAccess = { ...both, clientAuth: 'optional' }
    assert.equal(await roleOf(access, undefined, 'CN=alice'), 'full: admin API (10.0.0.7, CN=alice)')
    assert.match(await roleOf(access), /^none/)
    assert.match(await roleOf(access, 'Bearer the other'), /^read/)
  })

  it('wants the certificate besides where it is required', async () => {
    const alone: AdminAccess = { ...openAccess, clientAuth: 'required' }
    assert.match(await roleOf(alone), /^none/)
    assert.match(await roleOf(alone, undefined, 'CN=alice'), /^full/)
    const access: AdminAccess = { ...both, clientAuth: 'required' }
    assert.match(await roleOf(access, undefined, 'CN=alice'), /^none/)
    assert.match(await roleOf(access, 'Bearer the full token'), /^none/)
    assert.equal(
      await roleOf(access, 'Bearer the full token', 'CN=alice'),
      'full: admin API (10.0.0.7, CN=alice, token)',
    )
  })

  it('compares digests: no length, no prefix and no content makes a difference to how', async () => {
    // Comparing the texts themselves in constant time would throw where their lengths differ.
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 3_000 }), async (given) => {
        const role = await roleOf(both, `Bearer ${given}`)
        assert.equal(role.startsWith('full'), given.trim() === both.token)
      }),
      { numRuns: 200 },
    )
    const source = readFileSync(join(import.meta.dirname, 'caller.ts'), 'utf8')
    const compared = source.match(/timingSafeEqual\([^)]*\)/g)
    assert.deepEqual(compared, ['timingSafeEqual(shown, known.digest)'], 'the one place where tokens meet')
    assert.match(source, /const shown = digest\(given\)/)
    assert.deepEqual(source.match(/given [!=]==? \S+/g), ["given === '')"], 'only whether there is one')
  })

  it('takes other tokens from one call to the next', async () => {
    const gate = new Gate(both)
    const judge = async (token: string) =>
      (await gate.judge({ address, authorization: `Bearer ${token}`, certificate: null })).caller?.role
    assert.equal(await judge('the full token'), 'full')
    gate.update({ ...both, token: 'a new one' })
    assert.deepEqual([await judge('the full token'), await judge('a new one')], ['none', 'full'])
  })

  it('lets the right token in however many wrong ones came from its address', async () => {
    const gate = new Gate(both, new FailedTokens({ wait: async () => undefined }))
    const judge = (token: string) => gate.judge({ address, authorization: `Bearer ${token}`, certificate: null })
    for (let i = 0; i < 100; i++) await judge(`guess ${i}`)
    assert.ok((await judge('another guess')).retryAfterSeconds > 0)
    const verdict = await judge('the full token')
    assert.deepEqual([verdict.caller?.role, verdict.retryAfterSeconds], ['full', 0])
  })
})
