// How commands reach an admin API that is guarded: tokens from options, files and the configuration; HTTPS; certificates.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { haveOpenssl, makeAuthority } from '../support/certificates.ts'
import { folder, Program, writeConfig } from '../support/program.ts'
import { cli } from './cli-process.ts'

const skip = (await haveOpenssl()) ? false : 'needs the openssl program'
const token = 'the-token-of-this-test-0123456789'

test('the token comes from an option, a variable, a file, or the configuration; without it the way out is said', async (t) => {
  const dir = folder(t)
  const tokenFile = join(dir, 'token')
  writeFileSync(tokenFile, `${token}\n`)
  writeConfig(dir, { backends: ['http://127.0.0.1:9'], admin: { token_file: 'token' } })
  const program = await Program.start(t, dir, { workers: 1 })
  const admin = String(program.adminPort)
  const elsewhere = folder(t)
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    cli(t, ['status', '--admin', admin, ...args], { cwd: elsewhere, env })
  for (const [args, env] of [
    [['--token', token], {}],
    [['--token-file', tokenFile], {}],
    [[], { FRONTDESK_TOKEN: token }],
    [[], { FRONTDESK_TOKEN_FILE: tokenFile }],
    [[], { FRONTDESK_ADMIN_TOKEN: token }],
    // What is written wins over the environment.
    [['--token-file', tokenFile], { FRONTDESK_TOKEN: 'another' }],
    [['--token', token], { FRONTDESK_TOKEN: 'another', FRONTDESK_TOKEN_FILE: '/nowhere' }],
  ] as const) {
    const ended = await run(args, env)
    assert.equal(ended.code, 0, `${args.join(' ')} ${JSON.stringify(env)}: ${ended.stderr}`)
  }
  const none = await run([])
  assert.equal(none.code, 1)
  assert.match(
    none.stderr,
    /needs a token \(401\)\n {2}give its token with --token, --token-file or FRONTDESK_TOKEN\n$/,
  )
  const wrong = await run(['--token', 'wrong'])
  assert.match(wrong.stderr, /does not know this token \(401\)/)
  const missing = await run(['--token-file', join(dir, 'nothing')])
  assert.deepEqual([missing.code, /--token-file: cannot read .*ENOENT/.test(missing.stderr)], [2, true])

  // A file that names the address, and the file of the token, beside it.
  const config = {
    port: 1,
    admin: { listen: `127.0.0.1:${admin}`, token_file: 'token' },
    backends: ['http://127.0.0.1:9'],
  }
  writeFileSync(join(dir, 'found.json'), JSON.stringify(config))
  assert.equal((await cli(t, ['status', '-c', join(dir, 'found.json')], { cwd: elsewhere })).code, 0)
})

test('another server that answers JSON is told from an admin API, and a file that does not say where it is has a way round', async (t) => {
  const dir = folder(t)
  const other = createServer((_, response) => response.end('{"name":"another program"}'))
  await once(other.listen(0, '127.0.0.1'), 'listening')
  t.after(() => other.close())
  const { port } = other.address() as AddressInfo
  for (const args of [['status'], ['routes'], ['backends', 'list'], ['explain', '/'], ['config', 'diff']]) {
    const { code, stderr } = await cli(t, [...args, '--admin', String(port)], { cwd: dir })
    assert.equal(code, 1, args.join(' '))
    assert.match(stderr, /is not Frontdesk's admin API \(status 200, another JSON\)\n {2}is it the port of a listener/)
  }
  writeFileSync(join(dir, 'config.json'), '{ "listeners": [')
  const { code, stderr } = await cli(t, ['status'], { cwd: dir })
  assert.equal(code, 78)
  assert.match(stderr, /^frontdesk: the configuration file does not say where the admin API is\nconfig\.json:1:17: /)
  assert.match(stderr, /\n {2}mend it .*, or name the running Frontdesk with --admin/)
})

test('what another server says cannot steer the terminal', async (t) => {
  const detail = 'no\u001b]0;title\u0007\u001b[2J'
  const server = createServer((_, response) => {
    response.writeHead(409, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ status: 409, detail, errors: [{ path: 'a\u001b[1m', message: detail }] }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const admin = String((server.address() as AddressInfo).port)
  const { code, stderr } = await cli(t, ['reload', '--admin', admin], { cwd: folder(t) })
  assert.equal(code, 1)
  assert.match(stderr, /no\\x1b\]0;title\\x07/)
  assert.doesNotMatch(stderr, /[\x00-\x09\x0b-\x1f]/)
})

test('HTTPS: an authority that is named, the certificate of the own file, a client certificate', {
  skip,
}, async (t) => {
  const dir = folder(t)
  const authority = await makeAuthority()
  t.after(() => authority.remove())
  const server = await authority.issue()
  const client = await authority.issue({ use: 'client' })
  const tls = { cert: server.certPath, key: server.keyPath, client_auth: { mode: 'required', ca: authority.path } }
  writeConfig(dir, { backends: ['http://127.0.0.1:9'], admin: { tls } })
  const program = await Program.start(t, dir, { workers: 1 })
  const admin = `https://localhost:${program.adminPort}`
  const elsewhere = folder(t)
  const run = (...args: readonly string[]) => cli(t, ['status', ...args], { cwd: elsewhere })
  const shown = ['--admin-cert', client.certPath, '--admin-key', client.keyPath]

  const good = await run('--admin', admin, '--admin-ca', authority.path, ...shown)
  assert.deepEqual([good.code, good.stderr], [0, ''])
  const both = join(dir, 'both.pem')
  writeFileSync(both, `${readFileSync(client.certPath, 'utf8')}${readFileSync(client.keyPath, 'utf8')}`)
  assert.equal((await run('--admin', admin, '--admin-ca', authority.path, '--admin-cert', both)).code, 0)

  const unknown = await run('--admin', admin, ...shown)
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /cannot reach the admin API at https:\S+: .*\n {2}--admin-ca FILE names the authority/)
  const bare = await run('--admin', admin, '--admin-ca', authority.path)
  assert.equal(bare.code, 1)
  assert.match(bare.stderr, /does it ask for a client certificate\? --admin-cert FILE and --admin-key FILE/)
  const half = await run('--admin', admin, '--admin-cert', client.certPath)
  assert.deepEqual([half.code, /--admin-cert and --admin-key belong together/.test(half.stderr)], [2, true])
  const plain = await run('--admin', String(program.adminPort))
  assert.equal(plain.code, 1)
  assert.match(plain.stderr, /cannot reach/)

  // By its own file: 127.0.0.1 is dialled, and the certificate named there is believed whatever its name.
  const config = { port: 1, admin: { listen: `127.0.0.1:${program.adminPort}`, tls }, backends: ['http://127.0.0.1:9'] }
  writeFileSync(join(dir, 'found.json'), JSON.stringify(config))
  const own = await run('-c', join(dir, 'found.json'), ...shown)
  assert.deepEqual([own.code, own.stderr], [0, ''])
})
