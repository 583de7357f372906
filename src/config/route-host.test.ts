import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalHost } from '../routing/host-name.ts'
import { routeHost } from './route-host.ts'

test('hosts of routes are in the form that is compared', () => {
  const forms = {
    'Example.COM.': 'example.com',
    '*.Example.com': '*.example.com',
    'bücher.example': 'xn--bcher-kva.example',
    '127.0.0.1': '127.0.0.1',
    '[::1]': '[::1]',
    '::1': '[::1]',
    '[2001:DB8:0:0::1]': '[2001:db8::1]',
    localhost: 'localhost',
    '*': '*',
  }
  for (const [written, form] of Object.entries(forms)) {
    assert.equal(routeHost(written), form)
    if (!form.includes('*')) assert.equal(normalHost(form), form)
  }
})

test('what is no host is told as a sentence', () => {
  for (const bad of ['', '*.', 'a..b', 'www.*', '*a.example', 'http://x', 'a b', 'x/y', '*.*.x'])
    assert.throws(() => routeHost(bad), /is not a host/, bad)
  assert.throws(() => routeHost('example.com:80'), /has a port/)
})
