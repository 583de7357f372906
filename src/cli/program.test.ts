import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Command } from 'commander'
import { commandName } from './cli-context.ts'
import { buildProgram, withDefaultCommand } from './program.ts'

const silent = { out() {}, err() {}, paint: (_: unknown, text: string) => text, isTerminal: false }
const program = buildProgram({ terminal: silent, version: '0', command: 'frontdesk', launched: false, exitCode: 0 })
const guide = readFileSync(new URL('../../docs/guide/command-line.md', import.meta.url), 'utf8')

function all(command: Command): Command[] {
  return [command, ...command.commands.flatMap(all)]
}

test('run is meant when no command is named', () => {
  assert.deepEqual(withDefaultCommand([]), ['run'])
  assert.deepEqual(withDefaultCommand(['-c', 'x']), ['run', '-c', 'x'])
  assert.deepEqual(withDefaultCommand(['-v']), ['--version'])
  assert.deepEqual(withDefaultCommand(['--help']), ['--help'])
  assert.deepEqual(withDefaultCommand(['status', '--json']), ['status', '--json'])
})

test('the guide names every command and every option, and no option that there is not', () => {
  const options = new Set(all(program).flatMap((command) => command.options.map((option) => option.long ?? '')))
  for (const command of all(program)) assert.match(guide, new RegExp(`\\b${command.name()}\\b`))
  for (const option of options) if (option !== '--version') assert.ok(guide.includes(option), option)
  const named = guide.match(/(?<![\w-])--[a-z][a-z-]+/g) ?? []
  assert.deepEqual(
    [...new Set(named)].filter((option) => !options.has(option) && option !== '--help'),
    [],
  )
})

test('the guide shows a call of every command', () => {
  const path = (command: Command): string => `${command.parent ? `${path(command.parent)} ` : ''}${command.name()}`
  const leaves = all(program).filter(({ commands }) => commands.length === 0)
  for (const command of leaves) if (command.name() !== 'help') assert.ok(guide.includes(path(command)), path(command))
})

test('every example of the help names a command that there is', () => {
  const texts = all(program).map((command) => {
    let text = ''
    command.configureOutput({ writeOut: (part) => (text += part) })
    command.outputHelp()
    return text
  })
  const examples = texts.join('\n').match(/^ {2}frontdesk (?!help|\[).+$/gm) ?? []
  assert.ok(examples.length > 15)
  for (const example of examples) {
    const [words = ''] = example.trim().split(/ {3,}| [|>] /)
    const name = words.split(' ')[1] ?? ''
    const known = program.commands.some((command) => command.name() === name)
    assert.ok(known || name.startsWith('-'), example)
  }
})

test('hints call the program as the user did', () => {
  assert.equal(commandName('/usr/bin/frontdesk'), 'frontdesk')
  assert.equal(commandName(undefined), 'frontdesk')
  assert.equal(commandName('/somewhere/else/bin/frontdesk.js'), 'node /somewhere/else/bin/frontdesk.js')
  assert.equal(commandName(`${process.cwd()}/bin/frontdesk.js`), 'node bin/frontdesk.js')
})
