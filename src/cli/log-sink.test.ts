import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogSink } from './log-sink.ts'
import type { Terminal } from './terminal.ts'

function recorder(isTerminal: boolean): Terminal & { stdout: string[]; stderr: string[] } {
  const stdout: string[] = []
  const stderr: string[] = []
  return {
    stdout,
    stderr,
    isTerminal,
    out: (text) => stdout.push(text),
    err: (text) => stderr.push(text),
    paint: (colour, text) => `<${colour}>${text}</>`,
  }
}

const at = Date.UTC(2026, 0, 2, 3, 4, 5, 6)

test('JSON is chosen when stdout is no terminal, one object a line', () => {
  const terminal = recorder(false)
  const sink = createLogSink({ terminal, level: 'info', format: 'auto', now: () => at })
  sink.event('warn', 'backend_down', 'backend http://a/ DOWN: "no"', {
    pool: 'default',
    error: new Error('why'),
    big: 1n,
  })
  sink.flush()
  assert.equal(sink.format, 'json')
  assert.deepEqual(JSON.parse(terminal.stdout.join('')), {
    time: '2026-01-02T03:04:05.006Z',
    level: 'warn',
    event: 'backend_down',
    message: 'backend http://a/ DOWN: "no"',
    pool: 'default',
    error: 'why',
    big: '1',
  })
})

test('text is chosen for a terminal, with the state of a backend painted', () => {
  const terminal = recorder(true)
  const sink = createLogSink({ terminal, level: 'info', format: 'auto' })
  sink.event('info', 'backend_up', 'backend http://up.example UP: 200 (was down for 2s)')
  sink.flush()
  assert.match(
    terminal.stdout.join(''),
    /<dim>\d\d:\d\d:\d\d<\/> <dim>info <\/> backend http:\/\/up\.example <green>UP<\/>: 200/,
  )
})

test('events below the level are dropped', () => {
  const terminal = recorder(false)
  const sink = createLogSink({ terminal, level: 'warn', format: 'text' })
  sink.event('info', 'x', 'dropped')
  sink.event('warn', 'x', 'kept')
  sink.flush()
  assert.equal(terminal.stdout.length, 1)
  assert.match(terminal.stdout[0] ?? '', /kept\n$/)
})

test('events of one turn are written at once; an error goes to stderr, after what came before it', () => {
  const terminal = recorder(false)
  const order: string[] = []
  const tracing = {
    ...terminal,
    out: (text: string) => order.push(`out ${text}`),
    err: (text: string) => order.push(`err ${text}`),
  }
  const sink = createLogSink({ terminal: tracing, level: 'info', format: 'text' })
  sink.event('info', 'a', 'one')
  sink.event('info', 'a', 'two')
  sink.event('error', 'a', 'three')
  assert.equal(order.length, 2)
  assert.match(order[0] ?? '', /^out .*one\n.*two\n$/)
  assert.match(order[1] ?? '', /^err .*three\n$/)
})

test('control characters that a backend sent do not reach a terminal', () => {
  const terminal = recorder(true)
  const sink = createLogSink({ terminal, level: 'info', format: 'text' })
  sink.event('info', 'x', 'a\x1b[2Jb\nc')
  sink.flush()
  assert.match(terminal.stdout[0] ?? '', /a\\x1b\[2Jb\\x0ac\n$/)
})
