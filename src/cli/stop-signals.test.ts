import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StopRule } from './stop-signals.ts'

test('one Ctrl-C that arrives several times counts once', () => {
  const rule = new StopRule()
  assert.equal(rule.decide('SIGINT', 1000), 'drain')
  assert.equal(rule.decide('SIGINT', 1003), 'ignore')
  assert.equal(rule.decide('SIGINT', 1499), 'ignore')
})

test('a second Ctrl-C forces', () => {
  const rule = new StopRule()
  assert.equal(rule.decide('SIGINT', 1000), 'drain')
  assert.equal(rule.decide('SIGINT', 1500), 'force')
})

test('a second TERM or QUIT never forces, nor does the first Ctrl-C after one', () => {
  const rule = new StopRule()
  assert.equal(rule.decide('SIGTERM', 0), 'drain')
  assert.equal(rule.decide('SIGTERM', 10_000), 'ignore')
  assert.equal(rule.decide('SIGQUIT', 20_000), 'ignore')
  assert.equal(rule.decide('SIGINT', 30_000), 'ignore')
  assert.equal(rule.decide('SIGINT', 30_002), 'ignore')
  assert.equal(rule.decide('SIGINT', 31_000), 'force')
})

test('a TERM after a Ctrl-C does not force', () => {
  const rule = new StopRule()
  assert.equal(rule.decide('SIGINT', 0), 'drain')
  assert.equal(rule.decide('SIGTERM', 5000), 'ignore')
})
