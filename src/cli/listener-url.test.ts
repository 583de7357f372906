import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../config/load.ts'
import { schemeOf, urlOf, urlsOf } from './listener-url.ts'

test('a listener is shown as what clients speak to it', () => {
  const tls = { certificates: [{ cert: 'a', key: 'b' }] }
  const listeners = [
    { name: 'a', listen: ':1', pool: 'web' },
    { name: 'b', listen: ':2', pool: 'web', tls },
    { name: 'c', listen: ':3', pool: 'db', protocol: 'tcp' },
    { name: 'd', listen: ':4', pool: 'db', protocol: 'tcp', tls },
    { name: 'e', listen: ':5', protocol: 'tls-passthrough', sni: { '*': 'db' } },
  ]
  const pools = { web: { backends: ['http://h'] }, db: { backends: ['tcp://h:1'] } }
  const { config } = loadConfig({ text: JSON.stringify({ listeners, pools }), env: {} })
  assert.deepEqual(config.listeners.map(schemeOf), ['http', 'https', 'tcp', 'tls', 'tls'])
})

test('an address is shown as it is reached from this machine', () => {
  for (const host of ['', '0.0.0.0', '::', '127.0.0.1', '::1']) {
    assert.equal(urlOf({ host, port: 5432 }, 'tcp'), 'tcp://localhost:5432')
  }
  assert.equal(urlOf({ host: '10.0.0.1', port: 80 }), 'http://10.0.0.1:80')
  assert.equal(urlOf({ host: 'fd00::1', port: 443 }, 'https'), 'https://[fd00::1]:443')
  assert.equal(urlOf({ host: '', port: 0, socketPath: '/run/x.sock' }), 'unix:/run/x.sock')
  assert.equal(urlOf({ host: '', port: 0, inherited: 'web' }), 'systemd:web')
  assert.equal(urlOf({ host: '::', port: 80, inherited: 'web' }), 'http://localhost:80')
})

test('two that would read the same are shown by their addresses', () => {
  const scheme = 'http'
  const places = ['127.0.0.1', '::1', '127.0.0.1'].map((host, i) => ({ host, port: i === 2 ? 81 : 80, scheme }))
  assert.deepEqual(urlsOf(places), ['http://127.0.0.1:80', 'http://[::1]:80', 'http://localhost:81'])
})
