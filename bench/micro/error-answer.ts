// What an error answer costs before it is written: under a flood of refused requests nothing else is done.
import { errors } from '../../src/core/errors.ts'
import { preferredForm } from '../../src/http/error-answer/accept.ts'
import { errorAnswer } from '../../src/http/error-response.ts'
import { isInsideClient } from '../../src/http/hygiene/inside-client.ts'
import type { Benchmark } from './measure.ts'

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'
const block = `Host: www.example.com\r\nUser-Agent: test/1\r\nAccept: ${browser}\r\nAccept-Language: en\r\n`
const nobody = () => false

/** What is done with the answers, so that they are made. */
const made = { bytes: 0 }

function answers(name: string, accept: string): Benchmark {
  return {
    name: `error answer: ${name}`,
    run(times) {
      for (let i = 0; i < times; i++) {
        const inside = isInsideClient('203.0.113.17', block, nobody)
        const form = preferredForm(accept)
        const answer = errorAnswer(errors.rate_limited, { requestId: `id${i}`, form, details: '', inside: null })
        made.bytes += answer.body.length + (inside ? 1 : 0)
      }
    },
  }
}

export const benchmarks: readonly Benchmark[] = [
  answers('text for any client', '*/*'),
  answers('a page for a browser', browser),
]
