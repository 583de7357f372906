import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import fc from 'fast-check'
import { type HeadOptions, requestText } from './request-text.ts'

interface Written {
  readonly method?: string
  readonly rawHeaders?: readonly string[]
  /** Instead of what Node makes of the raw ones. */
  readonly headers?: Record<string, string | string[] | undefined>
}

const plain: HeadOptions = { target: '/', body: { kind: 'none' }, isUpgrade: false, awaitsContinue: false }

function textOf({ method = 'GET', rawHeaders = [], headers }: Written, options: Partial<HeadOptions> = {}) {
  const req = { method, rawHeaders, headers: headers ?? nodeHeaders(rawHeaders) } as unknown as IncomingMessage
  return requestText(req, { ...plain, ...options })
}

/** As Node joins them, for names that it joins. */
function nodeHeaders(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let at = 0; at < raw.length; at += 2) {
    const key = raw[at]!.toLowerCase()
    headers[key] = Object.hasOwn(headers, key) ? `${headers[key]}, ${raw[at + 1]}` : raw[at + 1]!
  }
  return headers
}

const linesOf = (text: string): string[] => text.slice(0, -4).split('\r\n').slice(1)

test('fields go out as they came: names, order of values, duplicates', () => {
  const rawHeaders = ['HoSt', 'h', 'X-A', '1', 'x-a', '2', 'Cookie', 'a=1', 'X-B', '']
  const { text, problem } = textOf({ rawHeaders })
  assert.equal(problem, '')
  assert.deepEqual(linesOf(text), ['HoSt: h', 'X-A: 1', 'X-A: 2', 'Cookie: a=1', 'X-B: ', 'Connection: close'])
})

test('names of what every object has are names as any other', () => {
  const headers = Object.fromEntries([['tostring', 'b']]) as Record<string, string>
  const { text } = textOf({ rawHeaders: ['__proto__', 'a', 'toString', 'b', 'constructor', 'c'], headers })
  assert.deepEqual(linesOf(text), ['toString: b', 'Connection: close'])
})

test('cookies that came in several fields stay several', () => {
  const rawHeaders = ['Cookie', 'a=1', 'Cookie', 'b=2']
  const { text } = textOf({ rawHeaders, headers: { cookie: 'a=1; b=2' } })
  assert.deepEqual(linesOf(text), ['Cookie: a=1', 'Cookie: b=2', 'Connection: close'])
})

test('framing is made anew, and what this connection does not do is left out', () => {
  const rawHeaders = ['Content-Length', '7', 'Transfer-Encoding', 'chunked', 'Upgrade', 'x', 'Expect', '100-continue']
  const { text } = textOf({ rawHeaders }, { body: { kind: 'chunked', codings: 'chunked' } })
  assert.deepEqual(linesOf(text), ['Transfer-Encoding: chunked', 'Connection: close'])
  const whole = textOf({ rawHeaders }, { body: { kind: 'length', bytes: 3 }, isUpgrade: true, awaitsContinue: true })
  assert.deepEqual(linesOf(whole.text), [
    'Upgrade: x',
    'Expect: 100-continue',
    'Content-Length: 3',
    'Connection: close',
  ])
})

test('pseudo-header fields of HTTP/2 become the request line and Host', () => {
  const rawHeaders = [':method', 'GET', ':authority', 'h:1', ':path', '/', 'x', '1']
  const headers = { ':authority': 'h:1', ':method': 'GET', ':path': '/', x: '1' }
  assert.deepEqual(linesOf(textOf({ rawHeaders, headers }).text), ['Host: h:1', 'x: 1', 'Connection: close'])
})

test('whatever a program puts in, the text is one head with exactly these fields, or a problem', () => {
  const nasty = fc.string({
    unit: fc.constantFrom('a', ':', ' ', '\r', '\n', '\0', '\t', '\u010a', '\u010d', '\xe9', '1'),
  })
  const mostly = <T>(usual: fc.Arbitrary<T>, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
    fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: other })
  const method = mostly(fc.constantFrom('GET', 'POST'), nasty)
  const target = mostly(fc.constantFrom('/', '/a?b'), nasty)
  const name = mostly(fc.constantFrom('x-b', 'X-C', 'via'), nasty)
  const value = mostly(fc.constantFrom('', '1', '\xe9'), nasty)
  const headers = fc.dictionary(name, fc.oneof(value, fc.array(value, { maxLength: 3 })), {
    maxKeys: 3,
    noNullPrototype: true,
  })
  const hosts = fc.constant<readonly string[]>(['Host', 'h', 'X-A', '1'])
  fc.assert(
    fc.property(method, target, headers, hosts, (verb, url, added, rawHeaders) => {
      const all = { host: 'h', 'x-a': '1', ...added }
      const { text, problem } = textOf({ method: verb, rawHeaders, headers: all }, { target: url })
      if (problem !== '') {
        assert.equal(text, '')
        return
      }
      assert.ok(text.startsWith(`${verb} ${url} HTTP/1.1\r\n`))
      assert.equal(text.indexOf('\r\n\r\n'), text.length - 4)
      assert.doesNotMatch(text.replaceAll('\r\n', ''), /[\r\n\0]|[^\x00-\xff]/)
      const sent = Object.entries(all).filter(([key]) => !key.startsWith(':'))
      const count = sent.reduce((sum, [, values]) => sum + (Array.isArray(values) ? values.length : 1), 0)
      assert.equal(linesOf(text).length, count + 1)
    }),
    { numRuns: 1000 },
  )
})
