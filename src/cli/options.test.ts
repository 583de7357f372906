import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collect, option, parseDuration, parsePort, parseWorkers } from './options.ts'

test('ports are 1 to 65535, and 0 for any', () => {
  assert.equal(parsePort('0'), 0)
  assert.equal(parsePort('8080'), 8080)
  for (const bad of ['65536', '-1', '80a', '', '1e3', '8080.5']) assert.throws(() => parsePort(bad), bad)
})

test('workers are a number or "auto"', () => {
  assert.equal(parseWorkers('auto'), 'auto')
  assert.equal(parseWorkers('0'), 0)
  assert.throws(() => parseWorkers('many'))
})

test('durations', () => {
  assert.equal(parseDuration('1m30s'), 90_000)
  assert.equal(parseDuration('500ms'), 500)
  assert.equal(parseDuration('2'), 2000)
  for (const bad of ['', 's', '5 s', '5x', '-1s']) assert.throws(() => parseDuration(bad), bad)
})

test('a repeated option gathers its values, and one value may hold several', () => {
  assert.deepEqual(collect('http://b  http://c', collect('http://a', undefined)), ['http://a', 'http://b', 'http://c'])
})

test('every option has a variable named after its flag', () => {
  assert.equal(option('--admin-port <n>', '').envVar, 'FRONTDESK_ADMIN_PORT')
  assert.equal(option('-c, --config <file>', '').envVar, 'FRONTDESK_CONFIG')
})

test('a switch in the environment that says no is off', () => {
  process.env.FRONTDESK_SOME_SWITCH = 'false'
  assert.equal(option('--some-switch', '').envVar, undefined)
  process.env.FRONTDESK_SOME_SWITCH = '1'
  assert.equal(option('--some-switch', '').envVar, 'FRONTDESK_SOME_SWITCH')
  delete process.env.FRONTDESK_SOME_SWITCH
})

test('an empty variable is no value', () => {
  process.env.FRONTDESK_SOME_PORT = ''
  assert.equal(option('--some-port <n>', '').envVar, undefined)
  process.env.FRONTDESK_SOME_PORT = '1'
  assert.equal(option('--some-port <n>', '').envVar, 'FRONTDESK_SOME_PORT')
  delete process.env.FRONTDESK_SOME_PORT
})
