import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cannotListen } from './listen-failure.ts'

const nowhere = { host: '', port: 0, choose: 'choose another with --port' }

for (const [failure, message, hint] of [
  [
    { ...nowhere, host: '::1', port: 80, code: 'EADDRINUSE' },
    'cannot listen on [::1]:80: another program listens there',
    /^ss -ltnp 'sport = :80' shows it; choose another with --port$/,
  ],
  [{ ...nowhere, port: 80, code: 'EWHAT' }, 'cannot listen on *:80: EWHAT', /--port/],
  [
    { ...nowhere, socketPath: '/run/a.sock', code: 'EADDRINUSE' },
    'cannot listen on unix:/run/a.sock: another program listens there',
    /^ss -lxp 'src \/run\/a.sock' shows it; choose another path in "listen"$/,
  ],
  [
    { ...nowhere, socketPath: '/run/a.sock', code: 'ENOTSOCK' },
    'cannot listen on unix:/run/a.sock: there is a file of that name already, and it is no socket',
    /^remove it, or choose another path/,
  ],
  [
    { ...nowhere, socketPath: '/run/x/a.sock', code: 'ENOENT' },
    'cannot listen on unix:/run/x/a.sock: its folder does not exist',
    /^mkdir -p \/run\/x$/,
  ],
  [
    { ...nowhere, inherited: 'web', code: 'NOT_PASSED', detail: 'no socket was passed to this process' },
    'cannot listen on systemd:web: no socket was passed to this process',
    /FileDescriptorName=web/,
  ],
] as const) {
  test(`${failure.code}: ${message}`, () => {
    const error = cannotListen(failure)
    assert.deepEqual([error.message, error.exitCode], [message, 69])
    assert.match(error.hint, hint)
  })
}
