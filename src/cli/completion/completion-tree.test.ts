import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command } from 'commander'
import { buildProgram } from '../program.ts'
import { bashCompletion } from './bash-completion.ts'
import { allCommands, completionTree, valuedNames, valuedPlaces } from './completion-tree.ts'
import { fishCompletion } from './fish-completion.ts'
import { fishQuoted, posixQuoted } from './shell-words.ts'
import { zshCompletion } from './zsh-completion.ts'

const silent = { out() {}, err() {}, paint: (_: unknown, text: string) => text, isTerminal: false }
const program = buildProgram({ terminal: silent, version: '0', command: 'frontdesk', launched: false, exitCode: 0 })
const tree = completionTree(program)

test('the tree has every command and every option of the program', () => {
  const every = (command: Command): Command[] => [command, ...command.commands.flatMap(every)]
  const commands = every(program)
  assert.equal(allCommands(tree).length, commands.length)
  const words = new Set(allCommands(tree).flatMap(({ options }) => options.flatMap(({ names }) => names)))
  for (const command of commands) for (const { long } of command.options) assert.ok(words.has(long ?? ''), long ?? '')
})

test('an option that takes a value in one command and is a switch in another is known by its command', () => {
  const program = new Command('frontdesk')
  program.addCommand(new Command('tail').option('--cache <result>', '').option('--route <name>', ''))
  program.addCommand(new Command('proxy').option('--cache', ''))
  const small = completionTree(program)
  assert.deepEqual([valuedNames(small), valuedPlaces(small)], [['--route'], ['tail --cache']])
  const valued = new Set(valuedNames(tree))
  const switches = allCommands(tree).flatMap(({ options }) => options.filter(({ value }) => value === null))
  for (const { names } of switches) for (const name of names) assert.ok(!valued.has(name), name)
})

test('what is asked from the running Frontdesk', () => {
  const find = (path: string) => allCommands(tree).find((one) => one.path === path)!
  assert.deepEqual(find('backends drain').arguments, [{ live: 'backends' }])
  assert.deepEqual(find('backends add').arguments, ['anything'])
  assert.deepEqual(find('backends swap').arguments, [{ live: 'backends' }, 'anything'])
  assert.deepEqual(find('tail').options.find(({ names }) => names.includes('--route'))?.value, { live: 'routes' })
})

test('the options of run may stand without it', () => {
  assert.ok(tree.options.some(({ names }) => names.includes('--backend')))
})

test('each script names every command', () => {
  for (const write of [bashCompletion, zshCompletion, fishCompletion]) {
    const text = write(tree)
    for (const { path } of allCommands(tree))
      assert.ok(text.includes(`'${path}'`) || text.includes(`\\'${path}\\'`), path)
    assert.doesNotMatch(text, /undefined|\[object/)
  }
})

test('words are quoted', () => {
  assert.equal(posixQuoted("it's"), "'it'\\''s'")
  assert.equal(fishQuoted("it's \\"), "'it\\'s \\\\'")
  const odd = new Command('frontdesk').addCommand(new Command('x').description("the proxy's $HOME `id`"))
  assert.match(zshCompletion(completionTree(odd)), /'x:the proxy'\\''s \$HOME `id`'/)
})
