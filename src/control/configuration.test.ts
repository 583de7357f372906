// The configuration as a document over the admin API: replaced, patched, refused, rehearsed, taken back, saved.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { type Answer, ControlBed } from '../../test/support/control-bed.ts'
import { deferred, until } from '../../test/support/wait.ts'
import type { ControlOptions } from './control.ts'
import type { Plan } from './plan/plan.ts'
import { nodeFileSystem } from './store/file-system.ts'

const a = 'http://127.0.0.1:1001'
const b = 'http://127.0.0.1:1002'
const c = 'http://127.0.0.1:1003'
const admin = { listen: '127.0.0.1:0' }
const unchecked = { health_check: { method: 'none' } }
const base = {
  listeners: [{ name: 'web', listen: '127.0.0.1:0' }],
  pools: { default: { backends: [a, { url: b, weight: 2 }], ...unchecked } },
  admin,
}

interface Changed {
  readonly revision: number
  readonly dry_run: boolean
  readonly changes: string[]
  readonly plan: Plan
  readonly warnings?: string[]
}
interface Problem {
  readonly detail: string
  readonly errors: { path: string; message: string; file?: string; line?: number }[]
}
interface History {
  readonly revision: number
  readonly history: { revision: number; at: string; by: string; cause: string; changes: string[] }[]
}

const bed = (t: TestContext, config: unknown = base, options: Partial<ControlOptions> = {}) =>
  ControlBed.start(t, config, options)

const taken = (answer: Answer): Changed => {
  assert.equal(answer.status, 200, answer.text)
  return answer.json<Changed>()
}

const weightOf = (of: ControlBed, url: string): number | undefined =>
  of.control.snapshot.pools.flatMap(({ backends }) => backends).find((backend) => backend.url === url)?.weight

describe('GET /config', () => {
  it('gives what was written with what was changed, the revision as its ETag, and no secrets', async (t) => {
    const secret = { ...base, admin: { ...admin, token: 'not for print' } }
    const of = await bed(t, { ...secret, pools: undefined, backends: [a], health_check_method: 'none' })
    const bearer = { authorization: 'Bearer not for print' }
    await of.call('POST', '/backends', { url: c }, bearer)
    const answer = await of.call('GET', '/config', undefined, bearer)
    assert.equal(answer.headers.etag, '"2"')
    assert.deepEqual(answer.json().pools, { default: { backends: [a, c], health_check: { method: 'none' } } })
    assert.deepEqual(answer.json().admin, { listen: '127.0.0.1:0', token: '***' })
    const expanded = await of.call('GET', '/config?expanded=1', undefined, bearer)
    assert.equal(expanded.json<{ limits: { header_count: number } }>().limits.header_count, 100)
    const origins = await of.call('GET', '/config?origin=1', undefined, bearer)
    const { values, revision } = origins.json<{
      revision: number
      values: { path: string; origin: string; by: string }[]
    }>()
    const added = values.find(({ path }) => path.startsWith(`pools.default.backends[${c}]`))
    assert.deepEqual([revision, added?.origin, added?.by], [2, 'api', 'admin API (127.0.0.1, token)'])
    for (const { text } of [answer, expanded, origins]) assert.ok(!text.includes('not for print'))
  })

  it('shows no secret in any call, however a route has it', async (t) => {
    const secret = 'HUSH'
    const edit = { set: { Authorization: `Bearer ${secret}` }, add: { 'X-Api-Key': secret } }
    const match = { path: '/a/*', header: { 'X-Api-Key': secret, cookie: [secret, '2'] }, query: { token: secret } }
    const routes = [
      { name: 'asks', match, pool: 'default' },
      { name: 'adds', match: { path: '/a/*' }, headers: { request: edit }, pool: 'default' },
    ]
    const of = await bed(t, { ...base, routes })
    const patch = { routes: routes.map((one) => ({ ...one, match: { ...one.match, method: 'GET' } })) }
    const answers = [
      await of.call('GET', '/config'),
      await of.call('GET', '/config?expanded=1'),
      await of.call('GET', '/config?origin=1'),
      await of.call('GET', '/routes'),
      await of.call('POST', '/explain', { url: '/a/x' }),
      await of.call('PATCH', '/config', patch),
      await of.call('GET', '/config/history'),
    ]
    for (const { status, text } of answers) assert.ok(status === 200 && !text.includes(secret), text)
    assert.match(answers[3]!.text, /header x-api-key: \*\*\*/i)
    assert.match(answers[4]!.text, /query parameter token: \*\*\*.*Authorization is set to \\"\*\*\*/)
    const shown = await of.call('PUT', '/config', answers[0]!.json())
    assert.equal(shown.status, 200, shown.text)
    assert.match(JSON.stringify(of.control.inForce.whole), /"X-Api-Key":"HUSH","cookie":\["HUSH","2"\]/)
    assert.doesNotMatch(JSON.stringify([of.log.events, of.events]), /HUSH/)
  })
})

describe('PATCH and PUT /config', () => {
  it('take names that objects have by themselves', async (t) => {
    const of = await bed(t)
    const pool = (weight: number) => ({ pools: { constructor: { backends: [{ url: c, weight }], ...unchecked } } })
    const added = taken(await of.call('PATCH', '/config', pool(2)))
    assert.match(added.changes.join(), /constructor/)
    const changed = taken(await of.call('PATCH', '/config', pool(3)))
    assert.equal(changed.plan.steps.length, 1)
    assert.equal(weightOf(of, c), 3)
    const removed = taken(await of.call('PATCH', '/config', { pools: { constructor: null } }))
    assert.deepEqual(
      removed.plan.steps.map(({ action, kind, name }) => [action, kind, name]),
      [['remove', 'pool', 'constructor']],
    )
    assert.equal(weightOf(of, c), undefined)
  })

  it('change anything while it runs, say what, and keep it over a restart', async (t) => {
    const of = await bed(t)
    const slots = of.slots()
    const patch = {
      pools: {
        default: { strategy: 'least-conn', timeouts: { connect: '2s' } },
        next: { backends: [c], ...unchecked },
      },
      limits: { header_count: 50 },
      workers: 3,
      logging: { level: 'debug' },
    }
    const { revision, changes, plan } = taken(await of.call('PATCH', '/config', patch))
    assert.equal(revision, 2)
    assert.deepEqual(changes, [
      'pool default: strategy round-robin → least-conn',
      'pool default: timeouts.connect 5s → 2s',
      'pool next: added (1 backend)',
      'workers auto → 3',
      'limits.header_count 100 → 50',
      'logging.level info → debug',
    ])
    assert.equal(plan.touched_connections, 0)
    const { snapshot } = of.control
    assert.deepEqual(
      [
        snapshot.pools.map(({ name, strategy }) => `${name} ${strategy}`),
        snapshot.limits.headerCount,
        snapshot.workers,
      ],
      [['default least-conn', 'next round-robin'], 50, 3],
    )
    assert.deepEqual(of.slots(), { ...slots, [`next ${c}`]: 2 }, 'what was there keeps its slots')
    await of.restart()
    assert.equal(of.control.snapshot.limits.headerCount, 50)
    assert.equal(of.control.inForce.revision, 2)
    assert.match(of.log.named('state_restored')[0]!.message, /in force again .*other changes/)
  })

  it('take a whole document in any form; "***" stands for the secret that is there', async (t) => {
    const of = await bed(t, { ...base, admin: { ...admin, token: 'kept as it is' } })
    const bearer = { authorization: 'Bearer kept as it is' }
    const { admin: shown, ...rest } = (await of.call('GET', '/config', undefined, bearer)).json()
    assert.deepEqual(shown, { ...admin, token: '***' })
    const flat = { port: 8080, backends: [b], strategy: 'first', admin: shown }
    assert.equal(taken(await of.call('PUT', '/config?dry_run=1', flat, bearer)).revision, 2)
    const put = taken(
      await of.call('PUT', '/config', { ...rest, admin: shown, trusted_proxies: ['10.0.0.0/8'] }, bearer),
    )
    assert.deepEqual(put.changes, ['trusted_proxies changed'])
    assert.equal(of.control.inForce.config.admin?.token, 'kept as it is')
    const none = await of.call(
      'PUT',
      '/config',
      { ...base, pools: { default: { backends: [a], sticky: { by: 'cookie', secret: '***' } } }, admin: shown },
      bearer,
    )
    assert.equal(none.status, 422)
    assert.equal(none.json<Problem>().errors[0]!.path, 'pools.default.sticky.secret')
  })

  it('refuse what is not valid with every place, and change nothing', async (t) => {
    const of = await bed(t)
    const before = of.picture()
    const wrong = await of.call('PATCH', '/config', { pools: { default: { strategy: 'best', retrys: 3 } } })
    assert.equal(wrong.status, 422)
    assert.deepEqual(
      wrong.json<Problem>().errors.map(({ path }) => path),
      ['pools.default.strategy', 'pools.default.retrys'],
    )
    assert.doesNotMatch(wrong.text, /config\.json/, 'the file says nothing wrong')
    assert.equal((await of.call('PUT', '/config', { listeners: 7 })).status, 422)
    assert.equal((await of.call('PUT', '/config', [])).status, 400)
    assert.equal((await of.call('PATCH', '/config', { routes: [{ match: '*', pool: 'nowhere' }] })).status, 422)
    assert.deepEqual(of.picture(), before)
  })

  it('only for the revision that If-Match names', async (t) => {
    const of = await bed(t)
    const patch = { limits: { header_count: 51 } }
    const stale = await of.call('PATCH', '/config', patch, { 'if-match': '"7"' })
    assert.equal(stale.status, 412)
    assert.match(stale.json<Problem>().detail, /is revision 1 now, not 7\. Nothing was changed$/)
    const first = await of.call('PATCH', '/config', patch, { 'if-match': '"1"' })
    assert.equal(first.headers.etag, '"2"')
    taken(first)
    const both = [60, 61].map((count) =>
      of.call('PATCH', '/config', { limits: { header_count: count } }, { 'if-match': '"2"' }),
    )
    assert.deepEqual((await Promise.all(both)).map(({ status }) => status).sort(), [200, 412])
    assert.equal((await of.call('PATCH', '/config', patch, { 'if-match': 'soon' })).status, 400)
    taken(await of.call('PATCH', '/config', patch, { 'if-match': '*' }))
  })

  it('need a restart for another state file only', async (t) => {
    const of = await bed(t)
    const before = of.picture()
    const answer = await of.call('PATCH', '/config', { state_file: 'other.json', workers: 2 })
    assert.equal(answer.status, 409)
    assert.deepEqual(answer.json<Problem>().errors, [{ path: 'state_file', message: 'can only change with a restart' }])
    assert.deepEqual(taken(await of.call('PATCH', '/config?dry_run=1', { state_file: 'x.json' })).plan.needs_restart, [
      'state_file',
    ])
    assert.deepEqual(of.picture(), before)
  })

  it('move the admin API: the answer comes from the old address, the next one from the new', async (t) => {
    const of = await bed(t)
    const old = of.control.adminAddress()!
    taken(await of.call('PATCH', '/config', { admin: { listen: '127.0.0.2:0' } }))
    const moved = of.control.adminAddress()!
    assert.deepEqual([moved.host, moved.host === old.host], ['127.0.0.2', false])
    assert.equal((await of.call('GET', '/status')).status, 200)
    const taken2 = await of.call('PATCH', '/config', {
      admin: { listen: `127.0.0.2:${moved.port}`, token: 'from now on' },
    })
    assert.equal(taken2.status, 200)
    assert.equal((await of.call('GET', '/status')).status, 401)
    assert.equal((await of.call('GET', '/status', undefined, { authorization: 'Bearer from now on' })).status, 200)
  })

  it('write one line of who, how and what', async (t) => {
    const of = await bed(t)
    await of.call('PATCH', '/config', { limits: { header_count: 51 } })
    const { message, fields } = of.log.named('config_changed')[0]!
    assert.equal(
      message,
      'configuration changed (admin API (127.0.0.1), PATCH /config, revision 2): limits.header_count 100 → 51',
    )
    assert.deepEqual(fields, {
      by: 'admin API (127.0.0.1)',
      cause: 'PATCH /config',
      revision: 2,
      changes: ['limits.header_count 100 → 51'],
    })
    const applied = of.events.find(({ type }) => type === 'config_applied')
    assert.ok(applied?.type === 'config_applied' && applied.revision === 2)
  })
})

describe('pools', () => {
  it('that are removed drain like removed backends; what is put back meanwhile has its slots again', async (t) => {
    const of = await bed(t, {
      ...base,
      pools: { ...base.pools, next: { backends: [c], ...unchecked } },
      routes: [{ name: 'n', match: { path: '/n' }, pool: 'next' }],
    })
    const slot = of.slots()[`next ${c}`]!
    of.port.worker.enter(slot, 0)
    const removed = taken(await of.call('PATCH', '/config', { pools: { next: null }, routes: null }))
    assert.deepEqual(removed.changes, ['pool next: removed (1 backend, drained first)', 'route n: removed'])
    assert.equal(removed.plan.touched_connections, 1)
    const leaving = of.control.status().backends.find(({ pool }) => pool === 'next')
    assert.deepEqual([leaving?.state, leaving?.current_connections], ['draining', 1])
    taken(await of.call('POST', '/config/rollback'))
    assert.equal(of.slots()[`next ${c}`], slot)
    assert.deepEqual(of.port.cut, [])
    of.port.worker.leave(slot)
  })

  it('that begin to speak something else begin anew, and the old ones drain', async (t) => {
    const pools = { ...base.pools, db: { backends: ['unix:/tmp/db.sock'], ...unchecked } }
    const of = await bed(t, { ...base, pools, routes: [{ name: 'n', match: { path: '/n' }, pool: 'db' }] })
    const slot = of.slots()['db unix:/tmp/db.sock']!
    of.port.worker.enter(slot, 0)
    const listeners = [...base.listeners, { name: 'db', listen: '127.0.0.1:0', protocol: 'tcp', pool: 'db' }]
    taken(await of.call('PUT', '/config', { ...base, listeners, pools }))
    assert.notEqual(of.slots()['db unix:/tmp/db.sock'], slot)
    assert.deepEqual(
      of.control
        .status()
        .backends.filter(({ pool }) => pool === 'db')
        .map(({ protocol, state }) => [protocol, state]),
      [
        ['tcp', 'unknown'],
        ['http', 'draining'],
      ],
    )
    of.port.worker.leave(slot)
  })
})

describe('a rehearsal', () => {
  it('gives the plan of every kind of change, and changes nothing: not a byte of the state file', async (t) => {
    const of = await bed(t)
    taken(await of.call('PATCH', '/config', { limits: { header_count: 77 } }))
    of.write({ ...base, workers: 5 })
    of.port.worker.enter(of.slots()[`default ${a}`]!, 0)
    const [before, state] = [of.picture(), of.state]
    const put = taken(
      await of.call('PUT', '/config?dry_run=1', { ...base, pools: { default: { backends: [b], ...unchecked } } }),
    )
    assert.deepEqual([put.dry_run, put.revision, put.plan.touched_connections], [true, 3, 1])
    assert.deepEqual(
      put.plan.steps.find(({ action }) => action === 'remove'),
      {
        action: 'remove',
        kind: 'backend',
        name: a,
        pool: 'default',
        changes: [],
        connections: 1,
      },
    )
    const patch = taken(await of.call('PATCH', '/config?dry_run=1', { limits: { header_count: 78 } }))
    assert.deepEqual(patch.plan.steps[0]!.changes, [{ path: '', from: 77, to: 78 }])
    const reload = taken(await of.call('POST', '/reload?dry_run=1'))
    assert.deepEqual([reload.changes, reload.warnings], [['workers auto → 5'], []])
    const back = taken(await of.call('POST', '/config/rollback?dry_run=1', { revision: 1 }))
    assert.deepEqual(back.changes, ['limits.header_count 77 → 100'])
    assert.deepEqual(of.picture(), before)
    assert.equal(of.state, state)
    of.port.worker.leave(of.slots()[`default ${a}`]!)
  })

  it('is refused where the change would be', async (t) => {
    const of = await bed(t)
    assert.equal((await of.call('PATCH', '/config?dry_run=1', { workers: 'many' })).status, 422)
    assert.equal((await of.call('PATCH', '/config?dry_run=1', {}, { 'if-match': '"3"' })).status, 412)
    of.write('{')
    assert.equal((await of.call('POST', '/reload?dry_run=1')).status, 422)
    assert.equal((await of.call('POST', '/config/rollback?dry_run=1', { revision: 9 })).status, 404)
  })
})

describe('a change that fails', () => {
  const more = { pools: { default: { backends: [b, c], ...unchecked }, next: { backends: [a], ...unchecked } } }

  for (const [code, status] of [
    ['ENOSPC', 507],
    ['EIO', 500],
  ] as const) {
    it(`on disk (${code}) leaves everything as it was, and the workers give up what they made ready`, async (t) => {
      let failing = false
      const fileSystem: ControlOptions['fileSystem'] = {
        ...nodeFileSystem,
        open: async (name, flags) => {
          if (failing) throw Object.assign(new Error(code), { code })
          return nodeFileSystem.open(name, flags)
        },
      }
      const of = await bed(t, base, { fileSystem })
      taken(await of.call('PATCH', '/config', { limits: { header_count: 77 } }))
      of.write({ ...base, ...more })
      const [before, state] = [of.picture(), of.state]
      failing = true
      const calls: [string, string, unknown?][] = [
        ['PATCH', '/config', more],
        ['PUT', '/config', { ...base, ...more }],
        ['POST', '/reload'],
        ['POST', '/config/rollback', {}],
        ['POST', '/backends', { url: c }],
        ['PATCH', '/backends', { url: a, weight: 9 }],
        ['PATCH', '/backends', { url: a, state: 'drain' }],
        ['DELETE', '/backends', { url: a }],
      ]
      for (const [method, path, body] of calls) {
        const answer = await of.call(method, path, body)
        assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`)
        assert.match(answer.json<Problem>().detail, new RegExp(`${code}.*Nothing was changed`))
      }
      assert.deepEqual(of.picture(), before)
      assert.equal(of.state, state)
      assert.equal(of.port.abandoned.length, calls.length)
      failing = false
      taken(await of.call('PATCH', '/config', more))
      assert.equal(of.slots()[`default ${c}`], 2, 'slots of failed attempts were given back')
    })
  }

  it('at a worker that does not get ready is named, and leaves everything as it was', async (t) => {
    const of = await bed(t)
    const [before, state] = [of.picture(), existing(of)]
    of.port.onPrepare = () => {
      throw new Error('worker 1 did not prepare the change within 15 s')
    }
    of.write({ ...base, ...more })
    for (const [method, path, body] of [
      ['PATCH', '/config', more],
      ['PUT', '/config', { ...base, ...more }],
      ['POST', '/reload', undefined],
      ['POST', '/backends', { url: c }],
      ['DELETE', '/backends', { url: a }],
    ] as const) {
      const answer = await of.call(method, path, body)
      assert.equal(answer.status, 503, `${method} ${path}: ${answer.text}`)
      assert.match(answer.json<Problem>().detail, /worker 1 did not prepare .*Nothing was changed/)
    }
    assert.deepEqual(of.picture(), before)
    assert.equal(existing(of), state)
    of.port.onPrepare = () => {}
    assert.equal(taken(await of.call('POST', '/reload')).revision, 2)
  })

  it('as the new address of the admin API is taken: nothing is made ready', async (t) => {
    const of = await bed(t)
    const other = await bed(t)
    const before = of.picture()
    const { host, port } = other.control.adminAddress()!
    const answer = await of.call('PATCH', '/config', { admin: { listen: `${host}:${port}` }, workers: 2 })
    assert.equal(answer.status, 503)
    assert.match(answer.json<Problem>().detail, /EADDRINUSE/)
    assert.deepEqual(of.picture(), before)
    assert.equal(of.port.prepared.length, 0)
  })

  it('one at a time: the next one sees what the one before has made', async (t) => {
    const of = await bed(t)
    const held = deferred()
    of.port.onPrepare = () => held.promise
    const first = of.call('POST', '/backends', { url: c })
    await until('it is on its way', () => of.control.inForce.revision === 1)
    const second = of.call('PATCH', '/config', { pools: { default: { strategy: 'first' } } })
    held.resolve()
    assert.equal((await first).status, 201)
    taken(await second)
    const [pool] = of.control.snapshot.pools
    assert.deepEqual([pool!.strategy, pool!.backends.map(({ url }) => url)], ['first', [a, b, c]])
  })
})

/** The text of the state file; '' before there is one. */
function existing(of: ControlBed): string {
  try {
    return of.state
  } catch {
    return ''
  }
}

describe('the history', () => {
  it('names who, when, how and what, newest first, and leads back', async (t) => {
    const of = await bed(t)
    const slots = of.slots()
    taken(await of.call('PATCH', '/config', { limits: { header_count: 51 } }))
    await of.call('PATCH', '/backends', { url: b, weight: 7 })
    await of.call('PATCH', '/backends', { url: a, state: 'drain' })
    await of.call('POST', '/backends', { url: c, weight: 4 })
    const { history, revision } = (await of.call('GET', '/config/history')).json<History>()
    assert.equal(revision, 5)
    assert.deepEqual(
      history.map(({ revision: n, by, cause, changes }) => [n, by, cause, ...changes]),
      [
        [5, 'admin API (127.0.0.1)', 'POST /backends', `pool default: added ${c}`],
        [4, 'admin API (127.0.0.1)', 'PATCH /backends', `pool default: ${a} state up → drain`],
        [3, 'admin API (127.0.0.1)', 'PATCH /backends', `pool default: ${b} weight 2 → 7`],
        [2, 'admin API (127.0.0.1)', 'PATCH /config', 'limits.header_count 100 → 51'],
        [1, 'start', 'start'],
      ],
    )
    assert.ok(history.every(({ at }) => Date.parse(at) <= Date.now()))
    const back = await of.call('POST', '/config/rollback', { revision: 2 })
    assert.deepEqual(taken(back).changes, [
      `pool default: ${a} state drain → up`,
      `pool default: ${b} weight 7 → 2`,
      `pool default: removed ${c}`,
    ])
    assert.deepEqual([of.control.snapshot.limits.headerCount, of.control.status().backends[0]!.state], [51, 'unknown'])
    assert.deepEqual(of.slots(), slots)
    const again = taken(await of.call('POST', '/config/rollback'))
    assert.equal(again.revision, 7)
    assert.deepEqual([weightOf(of, b), weightOf(of, c)], [7, 4], 'the way back leads back too')
    const { cause } = (await of.call('GET', '/config/history')).json<History>().history[0]!
    assert.equal(cause, 'rollback to 5')
    await of.restart()
    taken(await of.call('POST', '/config/rollback', { revision: 1 }))
    assert.deepEqual([of.control.inForce.changes, of.control.snapshot.limits.headerCount], [[], 100])
  })

  it('leads back over a reload, without touching the file', async (t) => {
    const of = await bed(t)
    of.write({ ...base, limits: { header_count: 80 } })
    taken(await of.call('POST', '/reload'))
    assert.deepEqual(taken(await of.call('POST', '/config/rollback')).changes, ['limits.header_count 80 → 100'])
    taken(await of.call('POST', '/reload'))
    assert.equal(of.control.snapshot.limits.headerCount, 100, 'the file says the same as when it was taken back')
    assert.match(readFileSync(of.file, 'utf8'), /80/)
  })

  it('begins anew where it was started with another file: no old ETag, no way back to what ran on that', async (t) => {
    const of = await bed(t)
    await of.call('PATCH', '/backends', { url: b, weight: 7 })
    await of.call('PATCH', '/backends', { url: a, state: 'drain' })
    await of.restart()
    assert.equal(of.control.inForce.revision, 3, 'the same file: the same revision')
    of.write({ ...base, limits: { header_count: 80 } })
    await of.restart()
    const { revision, history } = (await of.call('GET', '/config/history')).json<History>()
    assert.equal(revision, 4)
    const { by, changes } = history[0]!
    assert.deepEqual([by, changes], ['start', ['started with another file or command line']])
    const stale = await of.call('PATCH', '/config', { workers: 3 }, { 'if-match': '"3"' })
    assert.equal(stale.status, 412)
    const lost = await of.call('POST', '/config/rollback', { revision: 2 })
    assert.equal(lost.status, 404, lost.text)
    await of.call('PATCH', '/backends', { url: b, weight: 8 })
    taken(await of.call('POST', '/config/rollback', { revision: 4 }))
    assert.deepEqual([weightOf(of, b), of.control.snapshot.limits.headerCount], [7, 80])
    await of.restart()
    assert.equal(of.control.inForce.revision, 6)
  })

  it('is twenty long, and refuses what it does not hold', async (t) => {
    const of = await bed(t)
    for (let i = 0; i < 25; i++) taken(await of.call('PATCH', '/config', { limits: { header_count: 200 + i } }))
    const { history } = (await of.call('GET', '/config/history')).json<History>()
    assert.deepEqual([history.length, history[0]!.revision, history.at(-1)!.revision], [20, 26, 7])
    const lost = await of.call('POST', '/config/rollback', { revision: 6 })
    assert.equal(lost.status, 404)
    assert.match(lost.json<Problem>().errors[0]!.message, /is not one of 7, 8, /)
    assert.equal(taken(await of.call('POST', '/config/rollback', { revision: 7 })).revision, 27)
    assert.equal(of.control.snapshot.limits.headerCount, 205)
  })
})

describe('file and API', () => {
  it('what the API changed stays over the file at start and at reload, until the file says otherwise there', async (t) => {
    const of = await bed(t)
    await of.call('PATCH', '/backends', { url: b, weight: 7 })
    taken(await of.call('PATCH', '/config', { limits: { header_count: 51 }, workers: 3 }))
    of.write({ ...base, trusted_proxies: ['10.0.0.0/8'] })
    const other = taken(await of.call('POST', '/reload'))
    assert.deepEqual([other.changes, other.plan.conflicts], [['trusted_proxies changed'], []])
    assert.deepEqual([weightOf(of, b), of.control.snapshot.limits.headerCount], [7, 51])
    of.write({ ...base, limits: { header_count: 60 } })
    const rehearsed = taken(await of.call('POST', '/reload?dry_run=1'))
    const later = taken(await of.call('POST', '/reload'))
    assert.deepEqual(later.plan, rehearsed.plan)
    const [conflict, ...none] = later.plan.conflicts
    assert.deepEqual(
      [conflict!.path, conflict!.file, conflict!.api, conflict!.wins, none],
      ['limits.header_count', 60, 51, 'file', []],
    )
    assert.match(conflict!.message, /the file was changed later/)
    assert.equal(of.control.snapshot.limits.headerCount, 60)
    assert.equal(of.log.named('overlay_dropped').length, 1, 'a rehearsal drops nothing')
    await of.restart()
    assert.deepEqual([of.control.snapshot.limits.headerCount, of.control.snapshot.workers, weightOf(of, b)], [60, 3, 7])
  })

  it('the API wins when it comes later, and the plan says so', async (t) => {
    const of = await bed(t, { ...base, limits: { header_count: 60 } })
    const { plan } = taken(await of.call('PATCH', '/config', { limits: { header_count: 70 } }))
    const [conflict] = plan.conflicts
    assert.deepEqual(
      [conflict!.path, conflict!.file, conflict!.api, conflict!.wins],
      ['limits.header_count', 60, 70, 'api'],
    )
    taken(await of.call('POST', '/reload'))
    await of.restart()
    assert.equal(of.control.snapshot.limits.headerCount, 70)
  })

  it('a change that has come into the file is no change any more', async (t) => {
    const of = await bed(t)
    taken(await of.call('PATCH', '/config', { limits: { header_count: 51 } }))
    await of.call('POST', '/backends', { url: c })
    assert.equal(of.control.inForce.changes.length, 2)
    const pools = { default: { backends: [...base.pools.default.backends, c], ...unchecked } }
    of.write({ ...base, pools, limits: { header_count: 51 } })
    const { changes, revision } = taken(await of.call('POST', '/reload'))
    assert.deepEqual([changes, revision, of.control.inForce.changes], [[], 3, []])
    of.write(base)
    taken(await of.call('POST', '/reload'))
    assert.deepEqual([of.control.snapshot.limits.headerCount, weightOf(of, c)], [100, undefined])
  })

  it('backends of a pool that the API has made are changed in it, and outlive a restart with it', async (t) => {
    const of = await bed(t)
    taken(
      await of.call('PATCH', '/config', { pools: { next: { backends: [a, { url: c, weight: 3 }], ...unchecked } } }),
    )
    await of.call('PATCH', '/backends', { url: c, pool: 'next', weight: 8 })
    await of.call('POST', '/backends', { url: b, pool: 'next' })
    await of.call('DELETE', '/backends', { url: a, pool: 'next' })
    const expected = [`${c} 8`, `${b} 1`]
    const shown = (): string[] => of.control.snapshot.pools[1]!.backends.map(({ url, weight }) => `${url} ${weight}`)
    assert.deepEqual([shown(), of.control.inForce.changes.length], [expected, 1])
    const whole = (await of.call('GET', '/config')).json()
    taken(await of.call('POST', '/reload'))
    assert.deepEqual(shown(), expected)
    await of.restart()
    assert.deepEqual([shown(), (await of.call('GET', '/config')).json()], [expected, whole])
    taken(await of.call('POST', '/config/rollback', { revision: 2 }))
    assert.deepEqual(shown(), [`${a} 1`, `${c} 3`])
    assert.equal((await of.call('POST', '/config/save')).status, 200)
    assert.deepEqual([shown(), of.control.inForce.changes], [[`${a} 1`, `${c} 3`], []])
  })

  it('changes that do not go with the file any more refuse the reload and the start, with the way out', async (t) => {
    const pools = { ...base.pools, next: { backends: [c], ...unchecked } }
    const of = await bed(t, { ...base, pools })
    taken(await of.call('PATCH', '/config', { routes: [{ name: 'n', match: { path: '/n' }, pool: 'next' }] }))
    const before = of.picture()
    of.write(base)
    const refused = await of.call('POST', '/reload')
    assert.equal(refused.status, 422, refused.text)
    assert.match(refused.json<Problem>().detail, /next.*Nothing was changed/)
    assert.deepEqual(of.picture(), before)
    await of.control.close()
    await assert.rejects(of.start(), /state file/)
    of.write({ ...base, pools })
    await of.start()
    assert.equal(of.control.snapshot.routes.find(({ name }) => name === 'n')?.action.kind, 'pool')
  })

  it('what the file has overtaken at a start is not in force again when the file is changed back', async (t) => {
    const pools = { default: { backends: [a, { url: b, weight: 3 }], ...unchecked } }
    const of = await bed(t)
    await of.call('PATCH', '/backends', { url: b, weight: 7 })
    await of.call('PATCH', '/backends', { url: a, state: 'drain' })
    of.write({ ...base, pools: { default: { backends: [{ url: b, weight: 3 }], ...unchecked } } })
    await of.restart()
    assert.equal(of.log.named('overlay_dropped').length, 1)
    of.write({ ...base, pools })
    await of.restart()
    of.write(base)
    await of.restart()
    assert.equal(weightOf(of, b), 2)
    assert.equal(of.control.status().backends[0]!.state, 'unknown', 'the one that came back is not drained')
  })

  it('a state file of the first version is taken as changes of today', async (t) => {
    const of = await bed(t)
    await of.control.close()
    const { createHash } = await import('node:crypto')
    const overlay = {
      default: {
        added: { [c]: { weight: 3, state: 'drain' } },
        removed: [a],
        patched: { [b]: { maxConnections: 5, state: 'disabled' } },
      },
      gone: { added: {}, removed: ['http://x'], patched: {} },
    }
    const body = `${JSON.stringify({ revision: 9, stickySecret: 'ab'.repeat(32), overlay, configuration: 'config.json' })}\n`
    const sha256 = createHash('sha256').update(body).digest('hex')
    writeFileSync(
      of.stateFile,
      `${JSON.stringify({ format: 'frontdesk-state', version: 1, bytes: body.length, sha256 })}\n${body}`,
    )
    await of.restart()
    assert.deepEqual(
      of.control
        .status()
        .backends.map(({ url, weight, max_connections, state }) => [url, weight, max_connections, state]),
      [
        [b, 2, 5, 'disabled'],
        [c, 3, 0, 'draining'],
      ],
    )
    assert.match(of.log.named('overlay_dropped')[0]!.message, /pool gone is no longer configured/)
    await of.call('PATCH', '/backends', { url: b, state: 'up' })
    assert.equal(of.control.inForce.revision, 10)
    assert.match(of.state, /"version":2/)
    await of.restart()
    assert.deepEqual([weightOf(of, c), weightOf(of, a)], [3, undefined])
  })
})

describe('POST /config/save', () => {
  it('writes what was changed into the file, comments and all, and nothing is laid over it any more', async (t) => {
    const text = `{
  // where people come in
  "listeners": [{ "name": "web", "listen": "127.0.0.1:0" }],
  "pools": {
    "default": {
      "backends": ["${a}", { "url": "${b}", "weight": 2 }], // two of them
      "health_check": { "method": "none" }
    }
  },
  "admin": { "listen": "127.0.0.1:0" }
}
`
    const of = await bed(t, text)
    await of.call('PATCH', '/backends', { url: b, weight: 7 })
    taken(await of.call('PATCH', '/config', { limits: { header_count: 51 } }))
    const whole = (await of.call('GET', '/config')).json()
    const saved = await of.call('POST', '/config/save')
    assert.equal(saved.status, 200, saved.text)
    assert.deepEqual([saved.json().file, saved.json().revision], [of.file, 3])
    const written = readFileSync(of.file, 'utf8')
    assert.match(written, /\/\/ where people come in/)
    assert.match(written, /\/\/ two of them/)
    assert.match(written, /"weight": 7/)
    assert.deepEqual(of.control.inForce.changes, [])
    assert.deepEqual((await of.call('GET', '/config')).json(), whole)
    await of.restart()
    assert.deepEqual([weightOf(of, b), of.control.snapshot.limits.headerCount, of.control.inForce.changes], [7, 51, []])
  })

  it('does not write over what somebody else has written since', async (t) => {
    const of = await bed(t)
    taken(await of.call('PATCH', '/config', { limits: { header_count: 51 } }))
    of.write({ ...base, workers: 2 })
    const refused = await of.call('POST', '/config/save')
    assert.equal(refused.status, 409)
    assert.match(refused.json<Problem>().detail, /has changed since it was read/)
    assert.equal(JSON.parse(readFileSync(of.file, 'utf8')).workers, 2)
    taken(await of.call('POST', '/reload'))
    assert.equal((await of.call('POST', '/config/save')).status, 200)
  })
})
