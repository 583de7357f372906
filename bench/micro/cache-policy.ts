// What the cache's rules cost: reading a request, judging an answer, deciding over a stored entry, and finding its variant.

import { cacheDefaults } from '../../src/config/schema/route/cache.ts'
import { readAnswer } from '../../src/http/cache/policy/answer.ts'
import { judge, type StoreQuestion } from '../../src/http/cache/policy/judge.ts'
import { originKey, urlKey } from '../../src/http/cache/policy/key.ts'
import { readCacheRequest } from '../../src/http/cache/policy/request.ts'
import { reuse } from '../../src/http/cache/policy/reuse.ts'
import { matches, parseSelector, selectorText } from '../../src/http/cache/policy/vary.ts'
import { hitLine } from '../../src/http/cache/status-line.ts'
import type { Benchmark } from './measure.ts'

const spec = cacheDefaults

const hit = { age: 2, ttl: 598, detail: '', key: '', isCollapsed: false }

const browser =
  'Host: example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n' +
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n' +
  'Accept-Encoding: gzip, deflate, br, zstd\r\nReferer: https://example.com/\r\nCookie: a=1; b=2\r\nConnection: keep-alive\r\n'
const reload = `${browser}Cache-Control: max-age=0\r\nIf-None-Match: "33a64df5"\r\n`
const fields =
  'Date: Sat, 21 Nov 2026 18:00:00 GMT\r\nContent-Type: text/html; charset=utf-8\r\nETag: "33a64df5"\r\n' +
  'Last-Modified: Fri, 20 Nov 2026 18:00:00 GMT\r\nCache-Control: public, max-age=600\r\nVary: Accept-Encoding\r\n' +
  'X-Frame-Options: DENY\r\nX-Content-Type-Options: nosniff\r\n'
const now = Date.UTC(2026, 10, 21, 18, 0, 0, 500)
const request = readCacheRequest(browser)
const asksToReload = readCacheRequest(reload)
const answer = readAnswer(fields, 200, spec.targetFields, spec.tagFields)
const question: StoreQuestion = {
  method: 'GET',
  request,
  isAuthenticated: false,
  requestTime: now - 5,
  responseTime: now,
  status: 200,
  fields,
  answer,
  spec,
}
const verdict = judge(question)
if (!verdict.store) throw new Error(`not stored: ${verdict.rule}`)
const entry = { ...verdict.facts, isMarkedStale: false }
const selector = parseSelector(selectorText('web 1a2b3c', verdict.vary, browser, ''))
const plain = parseSelector(selectorText('web 1a2b3c', [], browser, ''))

const benchmark = (name: string, once: () => unknown): Benchmark => ({
  name: `cache ${name}`,
  run(times) {
    for (let i = 0; i < times; i++) once()
  },
})

export const benchmarks: readonly Benchmark[] = [
  benchmark('request, 8 fields of a browser', () => readCacheRequest(browser)),
  benchmark('request, a reload with a condition', () => readCacheRequest(reload)),
  benchmark('answer read, 8 fields', () => readAnswer(fields, 200, spec.targetFields, spec.tagFields)),
  benchmark('judge, stored', () => judge(question)),
  benchmark('reuse, fresh', () => reuse(entry, request, now + 1000, spec)),
  benchmark('reuse, reload', () => reuse(entry, asksToReload, now + 1000, spec)),
  benchmark('origin of a key', () => originKey('http', 'example.com:8080')),
  benchmark('key, default', () => urlKey('http', 'example.com', '/a/b?c=d', spec.key)),
  benchmark('variant, no Vary', () => matches(plain, 'web 1a2b3c', browser)),
  benchmark('variant, Vary: Accept-Encoding', () => matches(selector, 'web 1a2b3c', browser)),
  benchmark('Cache-Status of a hit', () => hitLine('on', hit)),
]
