import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileOrigins } from './origins.ts'

function check(origins: readonly string[], yes: readonly string[], no: readonly string[]): void {
  const allows = compileOrigins(origins)
  for (const origin of yes) assert.equal(allows(origin), true, origin)
  for (const origin of no) assert.equal(allows(origin), false, origin)
}

test('exact origins, in the form that browsers send', () => {
  check(
    ['https://App.Example.com', 'http://localhost:3000', 'https://default.example:443/', 'https://b\u00fccher.example'],
    ['https://app.example.com', 'http://localhost:3000', 'https://default.example', 'https://xn--bcher-kva.example'],
    [
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://app.example.com.evil.example',
      'https://app.example.com/',
      'https://evil-app.example.com',
      'https://App.Example.com',
      'http://localhost',
      'http://localhost:30001',
      'null',
      '',
    ],
  )
})

test('a wildcard stands for further labels and for nothing else', () => {
  check(
    ['https://*.example.com', 'http://*.test:8080'],
    ['https://a.example.com', 'https://a-1.b.example.com', 'http://x.test:8080'],
    [
      'https://example.com',
      'https://.example.com',
      'https://evil-example.com',
      'https://evilexample.com',
      'https://a..example.com',
      'https://a.example.com.evil.net',
      'https://evil.net/.example.com',
      'https://evil.net#.example.com',
      'https://evil.net:443.example.com',
      'https://evil.net?.example.com',
      'https://user@a.example.com',
      'https://a.example.com:8443',
      'http://a.example.com',
      'https://A.example.com',
      'http://x.test',
      'http://x.test:80801',
      'null',
    ],
  )
})

test('null only where it is listed', () => {
  check(['null'], ['null'], ['https://null', 'NULL', ''])
  check([], [], ['null', '', 'https://a.example'])
})

test('a wildcard never lets in what a browser would not take for a host below the suffix', () => {
  const allows = compileOrigins(['https://*.example.com'])
  const text = fc.string({
    unit: fc.constantFrom('a', '.', '/', '#', '?', '@', ':', '-', '%', '\\', ' ', '*'),
    maxLength: 12,
  })
  fc.assert(
    fc.property(text, (middle) => {
      const origin = `https://${middle}.example.com`
      if (!allows(origin)) return
      const url = new URL(origin)
      assert.ok(url.hostname.endsWith('.example.com'))
      assert.equal(url.origin, origin)
    }),
    { numRuns: 2000 },
  )
})
