// The admin side changed while it runs, by the file and a HUP: tokens in files, TLS, another address; the command line follows.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { haveOpenssl, makeAuthority } from '../support/certificates.ts'
import { ask } from '../support/load.ts'
import { refusingPort } from '../support/ports.ts'
import { folder, writeConfig } from '../support/program.ts'
import { CliProcess, cli } from './cli-process.ts'

const skip = (await haveOpenssl()) ? false : 'not installed: openssl'

test('a HUP takes another token, then TLS, then another address, and the command line finds it each time', {
  skip,
}, async (t) => {
  const authority = await makeAuthority()
  t.after(() => authority.remove())
  const { certPath: cert, keyPath: key } = await authority.issue()
  const dir = folder(t)
  const [port, first, second] = [await refusingPort(), await refusingPort(), await refusingPort()]
  const configure = (adminPort: number, tls: object | null): void => {
    const admin = { listen: `127.0.0.1:${adminPort}`, token_file: 'a.token', tls }
    writeConfig(dir, { port, admin, backends: ['http://127.0.0.1:9'], health_check_method: 'none', workers: 1 })
  }
  const token = (value: string): void => writeFileSync(join(dir, 'a.token'), `${value}\n`)
  const bearer = (value: string) => ({ authorization: `Bearer ${value}` })
  const status = async () => {
    const { code, stderr, stdout } = await cli(t, ['status', '--json'], { cwd: dir })
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout).revision as number
  }
  token('the first of all tokens')
  configure(first, null)
  const program = new CliProcess(t, ['run'], { cwd: dir })
  await program.says(/"event":"started"/)
  assert.equal(await status(), 1)

  token('the second of all tokens')
  program.child.kill('SIGHUP')
  await program.says(/"event":"reloaded".*admin\.token_file/)
  assert.equal((await ask(first, { path: '/status', headers: bearer('the first of all tokens') })).status, 401)
  assert.equal((await ask(first, { path: '/status', headers: bearer('the second of all tokens') })).status, 200)
  assert.equal(await status(), 2)

  configure(first, { cert, key })
  program.child.kill('SIGHUP')
  await program.says(/"event":"reloaded".*admin\.tls/)
  const secure = request({ host: '127.0.0.1', port: first, path: '/whoami', ca: authority.pem, agent: false })
  secure.end()
  const answer = await new Promise<string>((resolve, reject) => {
    secure.on('response', (response) => resolve(text(response)))
    secure.on('error', reject)
  })
  assert.match(answer, /"token_required":true/)
  assert.equal(await status(), 3)

  configure(second, { cert, key })
  program.child.kill('SIGHUP')
  await program.says(/"event":"reloaded".*admin\.listen/)
  assert.equal(await status(), 4)
  assert.equal((await ask(first, { path: '/readyz' })).status, 0)
  assert.doesNotMatch(program.stdout + program.stderr, /of all tokens/)

  // What cannot be had changes nothing.
  configure(port, { cert, key })
  program.child.kill('SIGHUP')
  await program.says(/"event":"reload_(?:failed|refused)"/)
  configure(second, { cert, key })
  assert.equal(await status(), 4)
  program.child.kill('SIGTERM')
  assert.equal((await program.ended()).code, 0)
})
