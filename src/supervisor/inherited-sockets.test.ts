import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenerSpec } from '../../test/support/control-kit.ts'
import { assignSockets, takeInheritance } from './inherited-sockets.ts'
import { ListenError } from './listen-error.ts'

const listener = (name: string, inherited: string) => listenerSpec({ name, inherited, host: '', port: 0 })
const inheritance = (...names: string[]) => ({
  sockets: names.map((name, index) => ({ fd: 3 + index, name })),
  refusal: '',
})

test('sockets are numbered from 3 and named; the variables are gone afterwards', () => {
  const env = { LISTEN_PID: '42', LISTEN_FDS: '3', LISTEN_FDNAMES: 'web:admin', PATH: '/bin' }
  assert.deepEqual(takeInheritance(env, [41, 42]), {
    sockets: [
      { fd: 3, name: 'web' },
      { fd: 4, name: 'admin' },
      { fd: 5, name: 'unknown' },
    ],
    refusal: '',
  })
  assert.deepEqual(env, { PATH: '/bin' })
})

test('without LISTEN_FDS there is nothing', () => {
  assert.deepEqual(takeInheritance({ LISTEN_PID: '42' }, [42]), { sockets: [], refusal: '' })
})

for (const [what, env, refusal] of [
  ['another process', { LISTEN_PID: '7', LISTEN_FDS: '1' }, 'LISTEN_PID is 7, this process is 42'],
  ['no process', { LISTEN_FDS: '1' }, 'LISTEN_PID is not set, this process is 42'],
  ['a process with the same begin', { LISTEN_PID: '420', LISTEN_FDS: '1' }, 'LISTEN_PID is 420, this process is 42'],
  ['no number', { LISTEN_PID: '42', LISTEN_FDS: 'x' }, 'LISTEN_FDS is "x"'],
  ['none', { LISTEN_PID: '42', LISTEN_FDS: '0' }, 'LISTEN_FDS is "0"'],
  ['a lie', { LISTEN_PID: '42', LISTEN_FDS: '99999' }, 'LISTEN_FDS is "99999"'],
] as const) {
  test(`sockets for ${what} are not ours, and it is known why`, () => {
    const vars: NodeJS.ProcessEnv = { ...env }
    assert.deepEqual(takeInheritance(vars, [42, 41]), { sockets: [], refusal })
    assert.deepEqual(vars, {})
  })
}

test('a listener gets the sockets of its name, or the one of its number; the rest is left over', () => {
  const listeners = [listener('a', 'web'), listenerSpec({ name: 'tcp' }), listener('b', '2')]
  const { sockets, unused } = assignSockets(listeners, inheritance('web', 'web', 'x', 'spare'))
  assert.deepEqual(
    [...sockets].map(([name, list]) => [name, list.map(({ fd }) => fd)]),
    [
      ['a', [3, 4]],
      ['b', [5]],
    ],
  )
  assert.deepEqual(
    unused.map(({ fd }) => fd),
    [6],
  )
})

test('a name that looks like a number goes before the number', () => {
  const { sockets } = assignSockets([listener('a', '0')], inheritance('web', '0'))
  assert.equal(sockets.get('a')![0]!.fd, 4)
})

for (const [what, wanted, given, message] of [
  [
    'no name like it',
    ['wep'],
    inheritance('web', 'x'),
    /systemd:wep: no such socket was passed, only 0 \(web\), 1 \(x\)/,
  ],
  ['a number too high', ['2'], inheritance('web', 'x'), /systemd:2: no such socket/],
  ['nothing passed', ['web'], inheritance(), /systemd:web: no socket was passed to this process/],
  ['others meant', ['web'], { sockets: [], refusal: 'LISTEN_PID is 7, this process is 42' }, /LISTEN_PID is 7/],
  ['one socket twice', ['web', '0'], inheritance('web'), /systemd:0: listener l0 has that socket already/],
] as const) {
  test(`${what}: an error that says so`, () => {
    const listeners = wanted.map((inherited, index) => listener(`l${index}`, inherited))
    assert.throws(
      () => assignSockets(listeners, given),
      (error) => error instanceof ListenError && message.test(error.message),
    )
  })
}
