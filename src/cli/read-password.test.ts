import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { within } from '../../test/support/wait.ts'
import { CliError } from './exit-code.ts'
import { readPassword } from './read-password.ts'

/** What a terminal in raw mode hands over, key by key. */
class Keyboard extends PassThrough {
  readonly isTTY = true
  isRaw = false
  setRawMode(mode: boolean): this {
    this.isRaw = mode
    return this
  }
}

async function typed(keys: readonly string[]): Promise<{ password: string | CliError; shown: string; raw: boolean }> {
  const input = new Keyboard()
  const prompt = new PassThrough()
  const password = readPassword({ input, prompt }).catch((error: CliError) => error)
  for (const key of keys) input.write(key)
  const read = await within('the password', password)
  return { password: read, shown: String(prompt.read() ?? ''), raw: input.isRaw }
}

async function piped(text: string | Buffer): Promise<string | CliError> {
  const input = new PassThrough()
  input.end(text)
  return readPassword({ input, prompt: new PassThrough() }).catch((error: CliError) => error)
}

test('a person types it twice and sees nothing of it', async () => {
  const { password, shown, raw } = await typed(['ge', 'X', '\x7f', 'h\u00e9im\r', 'geh\u00e9im\r'])
  assert.equal(password, 'geh\u00e9im')
  assert.equal(shown, 'Password: \nThe same again: \n')
  assert.equal(raw, false, 'the terminal is given back as it was')
})

test('two that differ, and leaving', async () => {
  assert.match(String((await typed(['one\r', 'two\r'])).password), /not the same/)
  for (const keys of [['\x03'], ['one\r', '\x03'], ['\x04']]) {
    const { password, raw } = await typed(keys)
    assert.ok(password instanceof CliError && password.exitCode === 130)
    assert.equal(raw, false)
  }
})

test('a program writes it, with a line break or without', async () => {
  assert.equal(await piped('gehe im'), 'gehe im')
  assert.equal(await piped('geheim\n'), 'geheim')
  assert.equal(await piped('geheim\r\n'), 'geheim')
})

test('what nobody could log in with is refused', async () => {
  assert.match(String(await piped('')), /empty/)
  assert.match(String(await piped('\n')), /empty/)
  assert.match(String(await piped('a\nb\n')), /line break/)
  assert.match(String(await piped('a\tb')), /control character/)
  assert.match(String(await piped('x'.repeat(1025))), /longer than 1024/)
  assert.equal(await piped('x'.repeat(1024)), 'x'.repeat(1024))
})
