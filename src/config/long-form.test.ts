import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from './load.ts'
import { longFormOf, longFormWithSecrets } from './long-form.ts'

const files = {
  'the seven flat keys': {
    port: 8080,
    admin_port: 8081,
    strategy: 'round-robin',
    health_check_frequency: '30s',
    backend_timeout: '10s',
    health_check_method: 'tcp',
    backends: ['http://localhost:8082', 'http://localhost:8083'],
  },
  'everything changed': {
    listeners: [{ name: 'web', listen: '[::1]:8000', pool: 'api' }],
    pools: {
      api: {
        strategy: 'hash',
        hash_key: 'header:X-User',
        backends: [
          'unix:/run/api.sock',
          { url: 'https://10.0.0.2/base', weight: 3, max_connections: 200, backup: true },
        ],
        sticky: { by: 'cookie', cookie: 'who', ttl: '90m' },
        health_check: {
          path: '/ready',
          host: 'api.example',
          expect: 204,
          interval: '1.5s',
          timeout: '1s',
          rise: 2,
          fall: 3,
        },
        passive_health: { max_fails: 1, window: '1m', eject: '1h' },
        timeouts: { connect: '1s', first_byte: '2s', idle: '3s', total: '4s', tunnel: '5s' },
        retries: { attempts: 1, on: ['reset', '503', '502'], budget: '12.5%' },
        keepalive: { max_idle: 0, idle_timeout: '1s' },
        host_header: 'backend',
        hide_headers: [],
      },
      other: {
        backends: ['http://localhost:1'],
        health_check: { method: 'none' },
        sticky: { by: 'header', header: 'X-User' },
      },
    },
    admin: { listen: '127.0.0.1:9001' },
    workers: 2,
    trusted_proxies: ['10.0.0.0/8'],
    limits: {
      header_size: '32KB',
      header_count: 50,
      target_size: '4KB',
      body_size: '10MB',
      header_timeout: '5s',
      idle_timeout: '30s',
      max_connections: 10,
      max_connections_per_ip: 5,
    },
    logging: { level: 'debug', format: 'json', access: { format: 'combined', file: '/var/log/access.log' } },
    state_file: '/var/lib/frontdesk/state.json',
    shutdown: { grace: '5s' },
  },
} as const

for (const [name, file] of Object.entries(files)) {
  test(`the long form means the same: ${name}`, () => {
    const { config } = loadConfig({ text: JSON.stringify(file), env: {} })
    const long = loadConfig({ text: JSON.stringify(longFormWithSecrets(config)), env: {} })
    assert.deepEqual(long.config, config)
  })
}

test('secrets are not printed', () => {
  const file = {
    backends: ['http://localhost:1'],
    sticky: { by: 'cookie', secret: 'a-long-enough-secret' },
    admin: { token: 'top-secret' },
  }
  const text = JSON.stringify(longFormOf(loadConfig({ text: JSON.stringify(file), env: {} }).config))
  assert.doesNotMatch(text, /top-secret|a-long-enough-secret/)
  assert.equal(text.match(/"\*\*\*"/g)?.length, 2)
})

test('a file that was printed without its token does not run with the stars for a token', () => {
  const printed = { backends: ['http://localhost:1'], admin: { token: '***' } }
  assert.throws(() => loadConfig({ text: JSON.stringify(printed), env: {} }), /admin\.token: .*stands for a secret/)
})
