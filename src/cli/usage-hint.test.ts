import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommanderError } from 'commander'
import { buildProgram, withDefaultCommand } from './program.ts'
import { usageHint } from './usage-hint.ts'

const terminal = { out: () => undefined, err: () => undefined, paint: (_: string, text: string) => text }

async function hintTo(line: string): Promise<string> {
  const argv = line.split(' ')
  const context = { terminal, version: '0', command: 'frontdesk', launched: false, exitCode: 0 }
  const program = buildProgram(context as never)
  try {
    await program.parseAsync(withDefaultCommand(argv), { from: 'user' })
  } catch (error) {
    assert.ok(error instanceof CommanderError, String(error))
    return usageHint(error, argv, program, 'frontdesk')
  }
  return assert.fail(`${line} is right`)
}

const lines: Readonly<Record<string, string>> = {
  'check c.json': 'Name the file with -c: "frontdesk check -c c.json".\n',
  'check --connect conf/c.yaml': 'Name the file with -c: "frontdesk check -c conf/c.yaml".\n',
  'run c.json': 'Name the file with -c: "frontdesk run -c c.json".\n',
  'c.json': 'Name the file with -c: "frontdesk -c c.json".\n',
  'config diff c.json': 'Name the file with -c: "frontdesk config diff -c c.json".\n',
  '-c c.json status': 'The command comes first, its options after it: "frontdesk status -c config.json".\n',
  'check now': '',
  'check -c c.json now': '',
  'version c.json': '',
  checkk: '',
}
for (const [line, hint] of Object.entries(lines)) {
  test(`frontdesk ${line}`, async () => assert.equal(await hintTo(line), hint))
}
