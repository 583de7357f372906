// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax of configuration files
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileSnapshot, noMaterial, type TlsMaterial } from './compile.ts'
import { type Config, ConfigError, type LoadOptions, loadConfig } from './load.ts'
import { longFormOf } from './long-form.ts'

const backends = ['http://localhost:3000']
const plainListener = {
  name: 'default',
  host: '',
  port: 8080,
  socketPath: null,
  socketMode: null,
  inherited: null,
  ipv6Only: false,
  protocol: 'http',
  pool: 'default',
  sni: [],
  tls: null,
  acceptProxyProtocol: [],
  idleTimeoutMs: 3_600_000,
  redirectHttpsPort: 0,
}
const load = (file: unknown, more: LoadOptions = {}) =>
  loadConfig({ text: JSON.stringify(file), env: {}, ...more }).config

function problemsOf(run: () => unknown) {
  try {
    run()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return assert.fail('accepted')
}

test('the seven keys of the seed, and the documented defaults', () => {
  const config = load({
    port: 8080,
    admin_port: 8081,
    strategy: 'round-robin',
    health_check_frequency: '30s',
    backend_timeout: '10s',
    health_check_method: 'tcp',
    backends,
  })
  assert.deepEqual(config, load({ backends }))
  assert.deepEqual(config.listeners, [plainListener])
  assert.deepEqual(config.admin, {
    ...{ host: '127.0.0.1', port: 8081, token: null, tokenFile: null, readToken: null, readTokenFile: null },
    anonymous: 'none',
    tls: null,
  })
  const pool = config.pools.default!
  assert.equal(pool.healthCheck?.timeoutMs, 5000)
  assert.deepEqual(pool.timeouts, {
    connectMs: 5000,
    firstByteMs: 10_000,
    idleMs: 60_000,
    totalMs: 0,
    tunnelMs: 3_600_000,
  })
  assert.deepEqual(pool.passiveHealth, { maxFails: 5, windowMs: 10_000, ejectMs: 30_000 })
  assert.deepEqual(pool.keepalive, { maxIdle: 256, idleTimeoutMs: 60_000 })
  assert.equal(config.workers, 'auto')
  assert.equal(config.logging.access, null)
})

test('the timeout of a check is never longer than its interval by default', () => {
  assert.equal(load({ backends, health_check_frequency: '2s' }).pools.default?.healthCheck?.timeoutMs, 2000)
})

test('port 0 is for programs, not for files', () => {
  const listeners = [{ name: 'web', listen: '127.0.0.1:0' }]
  assert.equal(problemsOf(() => load({ backends, listeners }))[0]?.path, 'listeners[0].listen')
  assert.equal(load({ backends, listeners }, { allowAnyPort: true }).listeners[0]?.port, 0)
  assert.equal(problemsOf(() => load({ backends, port: 0 }))[0]?.path, 'port')
  const config = load({ backends }, { overrides: { port: 0, admin_port: 0 } })
  assert.equal(config.listeners[0]?.port, 0)
  assert.equal(config.admin?.port, 0)
})

test('overrides win over the file, in flat and in long form', () => {
  const overrides = {
    port: 9000,
    admin_port: 9001,
    backends: ['http://b'],
    workers: 2,
    strategy: 'first',
    backend_timeout: '1s',
  }
  for (const file of [
    { port: 1, admin_port: 2, backends, workers: 1, strategy: 'random' },
    {
      listeners: [{ name: 'web', listen: ':1' }],
      pools: { api: { backends, strategy: 'random' } },
      admin: { listen: '[::1]:2' },
    },
  ]) {
    const config = load(file, { overrides })
    const pool = Object.values(config.pools)[0]
    assert.equal(config.listeners[0]?.port, 9000)
    assert.equal(config.admin?.port, 9001)
    assert.equal(config.workers, 2)
    assert.equal(pool?.strategy, 'first')
    assert.equal(pool?.timeouts.firstByteMs, 1000)
    assert.deepEqual(
      pool?.backends.map((b) => b.url),
      ['http://b'],
    )
    assert.equal(Object.keys(config.pools).length, 1)
  }
})

test('overrides alone are a configuration, and keep no state', () => {
  const { config, path } = loadConfig({ overrides: { backends: [{ url: 'http://h', weight: 3 }] }, env: {} })
  assert.equal(path, null)
  assert.equal(config.stateFile, null)
  assert.equal(config.pools.default?.backends[0]?.weight, 3)
})

test('what is wrong with overrides says so, without a place in the file', () => {
  const [problem, ...rest] = problemsOf(() => load({ backends }, { overrides: { backends: ['nonsense'] } }))
  assert.deepEqual(rest, [])
  assert.equal(problem?.file, 'command line')
  assert.equal(problem?.line, 0)
  assert.equal(problem?.path, 'backends[0]')
  assert.match(problemsOf(() => load({ backends }, { overrides: { port: 8081 } }))[0]!.message, /port of the admin API/)
  assert.match(problemsOf(() => load({ backends }, { overrides: { port: 70_000 } }))[0]!.message, /no valid port/)
  const listeners = [
    { name: 'a', listen: ':1' },
    { name: 'b', listen: ':2' },
  ]
  assert.match(
    problemsOf(() => load({ backends, listeners }, { overrides: { port: 3 } }))[0]!.message,
    /which listener/,
  )
})

test('files named in the configuration lie beside it', () => {
  const config = load({ backends, logging: { access: { file: 'access.log' } } }, { path: '/etc/frontdesk/config.json' })
  assert.equal(config.stateFile, '/etc/frontdesk/frontdesk.state.json')
  assert.equal(config.logging.access?.file, '/etc/frontdesk/access.log')
  assert.equal(load({ backends, state_file: null }, { path: 'config.json' }).stateFile, null)
  assert.equal(load({ backends, state_file: 'x.json' }).stateFile, resolve('x.json'))
})

test('variables become numbers where numbers are needed, and stay text elsewhere', () => {
  const file = {
    port: '${P}',
    backends: ['http://h${NONE:-}', { url: 'http://i', weight: '${W:-3}' }],
    admin: { token: '${P}' },
    backend_timeout: '${T:-3}',
  }
  const config = load(file, { env: { P: '9000' } })
  assert.equal(config.listeners[0]?.port, 9000)
  assert.equal(config.admin?.token, '9000')
  assert.equal(config.pools.default?.backends[1]?.weight, 3)
  assert.equal(config.pools.default?.timeouts.firstByteMs, 3000)
})

test('$${ is a literal ${', () => {
  const config = load({ backends, admin: { token: '$${P}' } }, { env: { P: 'x' } })
  assert.equal(config.admin?.token, '${P}')
})

test('secrets are in no problem', () => {
  const file = {
    backends: ['http://user:hush@h'],
    admin: { token: ['hush'] },
    sticky: { by: 'cookie', secret: 'hush' },
    pools: { default: { sticky: { by: 'cookie', secret: 'hush!' } } },
  }
  const problems = problemsOf(() => load(file))
  assert.ok(problems.length >= 3)
  assert.doesNotMatch(JSON.stringify(problems), /hush/)
})

test('an admin API beyond loopback needs a token that is not empty', () => {
  for (const listen of [':8081', '0.0.0.0:8081', '10.0.0.1:8081', 'example.com:8081']) {
    assert.match(problemsOf(() => load({ backends, admin: { listen } }))[0]!.message, /token/, listen)
    assert.match(problemsOf(() => load({ backends, admin: { listen, token: '' } }))[0]!.message, /token/, listen)
    assert.equal(load({ backends, admin: { listen, token: 't' } }).admin?.token, 't')
  }
})

test('names of the language are names like any other', () => {
  const pools = JSON.parse(
    '{"constructor": {"backends": ["http://h"]}, "__proto__": {"backends": ["http://h"]}}',
  ) as object
  assert.equal(problemsOf(() => load({ pools }))[0]?.path, 'pools.__proto__')
  const listeners = [{ name: 'a', listen: ':1', pool: 'toString' }]
  assert.match(problemsOf(() => load({ backends, listeners }))[0]!.message, /no pool "toString"/)
  assert.equal(problemsOf(() => load(JSON.parse('{"__proto__": {}, "backends": ["http://h"]}')))[0]?.path, '__proto__')
})

test('a pool that no listener uses is a warning', () => {
  const { warnings } = loadConfig({ text: JSON.stringify({ backends, pools: { spare: { backends } } }), env: {} })
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]!, /^configuration:1:\d+: pools\.spare: no listener uses this pool/)
})

test('a deeply nested file is refused, not recursed into', () => {
  for (const [path, text] of [
    ['c.json', '['.repeat(100_000)],
    ['c.json', '{"a":'.repeat(5000)],
  ] as const) {
    assert.match(problemsOf(() => loadConfig({ path, text, env: {} }))[0]!.message, /levels deep/)
  }
})

test('YAML: anchors work, their multiplication is bounded', () => {
  const text = 'backends: [&a "http://a", "http://b"]\npools: {other: {backends: [*a]}}\n'
  assert.deepEqual(
    loadConfig({ path: 'c.yaml', text, env: {} }).config.pools.other?.backends.map((b) => b.url),
    ['http://a'],
  )
  const levels = Array.from({ length: 12 }, (_, i) => `k${i + 1}: &k${i + 1} [${`*k${i},`.repeat(10)}]`)
  const bomb = ['k0: &k0 [x,x]', ...levels].join('\n')
  assert.match(problemsOf(() => loadConfig({ path: 'c.yaml', text: bomb, env: {} }))[0]!.message, /too large/)
})

test('whatever the file says, the answer is a configuration or problems with places in it', () => {
  const key = fc.constantFrom(
    'port',
    'admin_port',
    'backends',
    'listeners',
    'pools',
    'default',
    'name',
    'listen',
    'pool',
    'url',
    'weight',
    'sticky',
    'by',
    'health_check',
    'path',
    'admin',
    'token',
    'strategy',
    'tls',
    'cert',
    'key',
    'certificates',
    'sni',
    'protocol',
    'client_auth',
    'hsts',
    'redirect_http',
    'x',
  )
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(
      ...['http://h', 'tcp://h:1', ':80', 'unix:/x', 'default', 'tcp', 'tls-passthrough', 'cookie', '1s', '${X}'],
      ...[null, true, 80, -1, 0.5],
    ),
    fc.string({ maxLength: 5 }),
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: 'medium' },
      leaf,
      tie('object'),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
    object: fc.dictionary(key, tie('value'), { maxKeys: 5 }),
  }))
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 6 }), (file) => {
      try {
        load(file)
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        assert.ok(error.problems.length > 0)
        for (const problem of error.problems)
          assert.ok(problem.line > 0 && problem.column > 0 && problem.message.length > 0)
      }
    }),
    { numRuns: 400 },
  )
})

const ids = {
  generation: 7,
  instanceId: 'i',
  cursorOf: () => 2,
  listenerRowOf: () => 1,
  stickySecret: 'aa',
  material: noMaterial,
}

test('a snapshot is plain data with slots, cursors, rows and real ports', () => {
  const config: Config = load({ port: 8080, backends: ['unix:/s', 'https://H/b'] })
  const snapshot = compileSnapshot(config, {
    ...ids,
    slotOf: (pool, url) => (pool + url).length,
    ports: new Map([['default', 4711]]),
  })
  assert.deepEqual(structuredClone(snapshot), snapshot)
  assert.deepEqual(snapshot.listeners, [{ ...plainListener, row: 1, port: 4711 }])
  const [socket, secure] = snapshot.pools[0]!.backends
  assert.equal(socket?.socketPath, '/s')
  assert.deepEqual(
    {
      slot: secure?.slot,
      url: secure?.url,
      basePath: secure?.basePath,
      authority: secure?.authority,
      port: secure?.port,
    },
    { slot: 'defaulthttps://h/b'.length, url: 'https://h/b', basePath: '/b', authority: 'h', port: 443 },
  )
  assert.equal(snapshot.pools[0]?.cursor, 2)
  assert.equal(snapshot.generation, 7)
})

/** Answers with what it is asked for. */
const named: TlsMaterial = {
  identity: ({ cert, key }) => ({ id: `${cert}+${key}`, names: [], keyType: 'ec', cert: `c ${cert}`, key: `k ${key}` }),
  pem: (path) => `pem ${path}`,
}

test('files of TLS are found beside the configuration and stand in the snapshot as material', () => {
  const file = {
    listeners: [
      {
        name: 'webs',
        listen: ':443',
        pool: 'web',
        tls: {
          certificates: [
            { cert: 'a.pem', key: '/keys/a.key' },
            { cert: '../b.pem', key: 'b.key' },
          ],
          hsts: { include_subdomains: true, preload: true },
          client_auth: { mode: 'optional', ca: 'clients.pem', crl: 'crl/clients.pem', headers: { san: 'X-San' } },
        },
      },
    ],
    pools: {
      web: {
        backends: ['https://10.0.0.1:3000'],
        tls: { ca: 'internal.pem', server_name: 'API.internal', cert: 'own.pem', key: 'own.key', min_version: '1.3' },
        send_proxy_protocol: 'v2',
      },
      both: { backends: ['https://10.0.0.1:3000'], tls: { ca: ['system', 'internal.pem'] } },
      none: { backends: ['https://10.0.0.1:3000'], tls: { verify: false } },
    },
  }
  const config = load(file, { path: '/etc/frontdesk/config.json' })
  const snapshot = compileSnapshot(config, { ...ids, material: named, slotOf: () => 0 })
  const { tls } = snapshot.listeners[0]!
  assert.deepEqual(
    tls?.identities.map(({ id }) => id),
    ['/etc/frontdesk/a.pem+/keys/a.key', '/etc/b.pem+/etc/frontdesk/b.key'],
  )
  assert.equal(tls.hsts, 'max-age=31536000; includeSubDomains; preload')
  assert.deepEqual(tls.alpn, ['http/1.1'])
  assert.deepEqual(tls.clientAuth, {
    mode: 'optional',
    ca: 'pem /etc/frontdesk/clients.pem',
    crl: 'pem /etc/frontdesk/crl/clients.pem',
    headers: { subject: null, san: 'x-san', fingerprint: null },
  })
  const [web, both, none] = snapshot.pools
  assert.deepEqual(web?.tls, {
    verify: true,
    ca: 'pem /etc/frontdesk/internal.pem',
    serverName: 'api.internal',
    identity: { cert: 'c /etc/frontdesk/own.pem', key: 'k /etc/frontdesk/own.key' },
    minVersion: 'TLSv1.3',
    alpn: ['http/1.1'],
  })
  assert.equal(web.sendProxyProtocol, 'v2')
  assert.match(both!.tls.ca!, /^-----BEGIN CERTIFICATE-----[\s\S]*pem \/etc\/frontdesk\/internal\.pem$/)
  assert.deepEqual([none?.tls.verify, none?.tls.ca], [false, null])
  assert.deepEqual(structuredClone(snapshot), snapshot)
  assert.throws(() => compileSnapshot(config, { ...ids, slotOf: () => 0 }), /no certificates were loaded.*a\.pem/)
})

test('in a TCP pool a socket is TCP, and only a failed connection is tried again', () => {
  const listeners = [{ name: 'db', listen: ':1', protocol: 'tcp' }]
  const pools = { db: { backends: ['unix:/db.sock', 'tls://h:1', 'tcp://h:2'] } }
  const [pool] = compileSnapshot(load({ listeners, pools }), { ...ids, slotOf: () => 0 }).pools
  assert.equal(pool?.kind, 'tcp')
  assert.deepEqual(
    pool.backends.map(({ protocol }) => protocol),
    ['tcp', 'tls', 'tcp'],
  )
  assert.deepEqual([pool.retries.onConnect, pool.retries.onReset], [true, false])
  assert.deepEqual(pool.tls.alpn, [])
})

test('the flat key tls is a second listener for the same pool', () => {
  const tls = { cert: 'a.pem', key: 'a.key', redirect_http: true, hsts: true }
  const [plain, secure] = load({ port: 8080, backends, tls }, { path: '/etc/c.json' }).listeners
  assert.deepEqual([plain?.name, plain?.port, plain?.redirectHttpsPort], ['default', 8080, 8443])
  assert.deepEqual([secure?.name, secure?.port, secure?.pool], ['default-tls', 8443, 'default'])
  assert.deepEqual(secure?.tls?.certificates, [{ cert: '/etc/a.pem', key: '/etc/a.key' }])
  assert.equal(secure.tls.hsts?.maxAgeMs, 365 * 86_400_000)
  const problem = problemsOf(() =>
    load({ backends, listeners: [{ name: 'default', listen: ':80', redirect_https: 444 }], port: 80, tls }),
  )[0]
  assert.match(problem!.message, /contradicts listeners\[0\]\.redirect_https/)
})

test('a redirect needs no pool of its own', () => {
  const listeners = [
    { name: 'plain', listen: ':80', redirect_https: true },
    { name: 'sni', listen: ':443', protocol: 'tls-passthrough', sni: { '*': 'db' } },
  ]
  const db = { backends: ['tcp://h:1'] }
  const poolsOf = (pools: object) => load({ listeners, pools }).listeners.map(({ pool }) => pool)
  assert.deepEqual(poolsOf({ db }), ['', ''])
  assert.deepEqual(poolsOf({ db, web: { backends }, other: { backends } }), ['web', ''])
})

test('a file may do nothing but redirect; then there is no pool', () => {
  const redirect = { name: 'web', listen: ':80', redirect_https: true }
  const config = load({ listeners: [redirect] })
  assert.deepEqual([config.listeners[0]!.pool, longFormOf(config).pools], ['', {}])
  assert.deepEqual(load(longFormOf(config)), config)
  const both = { listeners: [redirect, { name: 'more', listen: ':81' }] }
  assert.equal(problemsOf(() => load(both))[0]!.path, 'backends')
})

test('what is near to right is answered with what would be right', () => {
  const listener = (over: object) => ({ backends, listeners: [{ name: 'web', listen: ':443', ...over }] })
  const pair = { cert: 'a.pem', key: 'a.key' }
  const cases: [object, RegExp][] = [
    [listener({ tls: pair }), /tls\.cert: .*; write "certificates": \[\{"cert": "a\.pem", "key": "a\.key"\}\]$/m],
    [
      { backends, tls: { ...pair, client_auth: { mode: 'none' } } },
      /client_auth: belongs to "tls" of a listener; .*"certificates"/,
    ],
    [{ backends, tls: { ...pair, min_version: 1.3 } }, /1\.3 is a number; .*; write it in quotes: "1\.3"/],
    [listener({ protocol: 'tls' }), /use "tcp" with "tls" to end TLS here, or "tls-passthrough"/],
    [listener({ accept_proxy_protocol: true }), /expected a list of those who send it, such as \["10\.0\.0\.0\/8"\]/],
    [
      { backends, admin: { listen: 'unix:/run/x' } },
      /"unix:\/run\/x" cannot stand here: the admin API listens on TCP only/,
    ],
    [{ backends, admin: { listen: 'systemd:web' } }, /the admin API listens on TCP only/],
  ]
  for (const [file, why] of cases) assert.throws(() => load(file), why)
  const { warnings } = loadConfig({
    text: JSON.stringify({
      backends,
      tls: { ...pair, hsts: { max_age: '30d', preload: true, include_subdomains: true } },
    }),
  })
  assert.match(warnings[0]!, /tls\.hsts\.preload: .*"max_age" of at least "365d"$/)
})

test('a strategy of the command line that needs a request is answered with one that does not', () => {
  const [problem] = problemsOf(() =>
    load(
      { listeners: [{ name: 'a', listen: ':1', protocol: 'tcp' }] },
      { overrides: { backends: ['tcp://a:1'], strategy: 'hash' } },
    ),
  )
  assert.equal(problem!.hint, 'use "ip-hash"')
})

test('what shows itself later is told at its place in the file', () => {
  const text = `{
  "tls": { "cert": "a.pem", "key": "a.key" },
  "backends": ["http://h"],
  "pools": { "a.b": { "backends": ["https://h"], "tls": { "ca": "x.pem" } } }
}`
  const loaded = loadConfig({ path: 'c.json', text, env: {} })
  const problem = { file: 'c.json', line: 0, column: 0, message: 'x.pem is no such file', hint: null, value: 'x.pem' }
  const paths = ['listeners[1].tls.certificates[0]', 'pools.a.b.tls.ca', 'state_file', 'nonsense']
  const error = loaded.locate(new ConfigError(paths.map((path) => ({ ...problem, path }))))
  assert.equal(
    (error as ConfigError).message,
    [
      'c.json:2:10: tls: x.pem is no such file',
      'c.json:4:65: pools["a.b"].tls.ca: x.pem is no such file',
      'c.json: state_file: x.pem is no such file',
      'c.json: nonsense: x.pem is no such file',
    ].join('\n'),
  )
  const other = new Error('other')
  assert.equal(loaded.locate(other), other)
})

test('two mistakes in one element of a list do not hide one in the next', () => {
  const bad = { url: 'http://h', weight: 0, max_connections: -1 }
  const problems = problemsOf(() => load({ backends: [bad, 'http://a', 'http://a'] }))
  assert.deepEqual(problems.map(({ path }) => path).sort(), [
    'backends[0].max_connections',
    'backends[0].weight',
    'backends[2]',
  ])
})

test('sticky pools get an affinity table each, cookies a secret', () => {
  const pools = {
    a: { backends, sticky: { by: 'cookie' } },
    b: { backends, sticky: { by: 'ip' } },
    c: { backends },
    d: { backends, sticky: { by: 'header', header: 'X-User' } },
    e: { backends, sticky: { by: 'cookie', secret: 'sixteen characters' } },
  }
  const listeners = [{ name: 'w', listen: ':1', pool: 'a' }]
  const snapshot = compileSnapshot(load({ pools, listeners }), { ...ids, slotOf: () => 0 })
  const sticky = snapshot.pools.map((pool) => pool.sticky)
  assert.deepEqual(
    sticky.map((s) => s?.table),
    [-1, 0, undefined, 1, -1],
  )
  assert.deepEqual(sticky[0], { by: 'cookie', name: 'fd_sticky', ttlMs: 3_600_000, table: -1, secret: 'aa' })
  assert.equal(sticky[3]?.name, 'x-user')
  assert.match(sticky[4]!.secret, /^[0-9a-f]{64}$/)
})

test('a state file or an access log in the place of another file is refused: that file would be lost', () => {
  const path = '/etc/frontdesk/config.json'
  const messages = (file: object): string[] =>
    problemsOf(() => load({ backends, ...file }, { path })).map((problem) => `${problem.path}: ${problem.message}`)
  const access = (file: string) => ({ logging: { access: { file } } })
  const own = 'is this configuration file'
  assert.deepEqual(messages({ state_file: 'config.json' }), [`state_file: "config.json" ${own}`])
  assert.deepEqual(messages({ state_file: '../frontdesk/config.json' }), [
    `state_file: "../frontdesk/config.json" ${own}`,
  ])
  assert.deepEqual(messages(access(path)), [`logging.access.file: "${path}" ${own}`])
  assert.deepEqual(messages({ state_file: 'a', ...access('./a') }), ['logging.access.file: "./a" is the state file'])
  assert.equal(load({ backends, state_file: '../config.json' }, { path }).stateFile, '/etc/config.json')
})

test('YAML: a second document is refused in words for people', () => {
  const text = 'backends: [http://localhost:3000]\n---\nport: 1\n'
  const [problem] = problemsOf(() => loadConfig({ path: 'c.yaml', text, env: {} }))
  assert.equal(problem?.line, 2)
  assert.equal(problem?.message, 'broken YAML: there is more than one document; keep one and remove the "---"')
})

test('a configuration that a program wrote is judged as a file is, without places, and its text stays as it is', () => {
  const given = { port: 8080, admin_port: undefined, backends, pools: { default: { hash_key: 'header:X-${Y}' } } }
  const paths = problemsOf(() => loadConfig({ value: { ...given, prot: 1 } })).map(({ file, line, path }) => [
    file,
    line,
    path,
  ])
  assert.deepEqual(paths, [
    ['configuration', 0, 'pools.default.hash_key'],
    ['configuration', 0, 'prot'],
  ])
  const { config, path } = loadConfig({ value: { ...given, pools: {}, logging: { access: { file: '${X}' } } } })
  assert.deepEqual([path, config.logging.access?.file], [null, resolve('${X}')])
  const itself: Record<string, unknown> = { backends }
  itself.pools = { default: itself }
  assert.match(problemsOf(() => loadConfig({ value: itself }))[0]!.message, /levels deep/)
  assert.match(problemsOf(() => loadConfig({ value: [] }))[0]!.message, /one object/)
  assert.match(problemsOf(() => loadConfig({ value: { backends, port: () => 1 } }))[0]!.message, /number/)
})

test('the default of workers gives way to what is written', () => {
  assert.equal(load({ backends }).workers, 'auto')
  assert.equal(load({ backends }, { defaultWorkers: 0 }).workers, 0)
  assert.equal(load({ backends, workers: 'auto' }, { defaultWorkers: 0 }).workers, 'auto')
})
