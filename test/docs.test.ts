// The documents are true where a machine can tell: links lead somewhere, commands and configurations shown do exist.
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import type { Command } from 'commander'
import { strategies } from '../src/balancer/table.ts'
import { buildProgram, withDefaultCommand } from '../src/cli/program.ts'
import { configJsonSchema, type JsonSchema } from '../src/config/json-schema.ts'
import { loadConfig } from '../src/config/load.ts'
import { jsonFields } from '../src/observe/access/json-line.ts'
import { logFamilies, logVariables } from '../src/observe/access/log-variables.ts'
import { redactedByDefault } from '../src/observe/access/redaction.ts'
import { variables } from '../src/routing/template.ts'
import { cacheResults, storeRefusals } from '../src/state/names.ts'

const root = join(import.meta.dirname, '..')
const notOurs = new Set(['node_modules', 'dist', '.git', '.work'])
const documents = globSync('**/*.md', { cwd: root, exclude: (path) => notOurs.has(basename(path)) })
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const FENCE = /^( *)```(\w*)\n([\s\S]*?)^\1```$/gm

interface Block {
  readonly language: string
  readonly text: string
}

const blocks = (markdown: string): Block[] =>
  [...markdown.matchAll(FENCE)].map(([, , language = '', text = '']) => ({ language, text }))

const prose = (markdown: string): string => markdown.replaceAll(FENCE, '')

/** The anchors that GitHub makes of a page's headings. */
function anchors(markdown: string): Set<string> {
  const found = new Set<string>()
  for (const [, heading = ''] of prose(markdown).matchAll(/^#{1,6} +(.+)$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = words.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
    let name = slug
    for (let again = 1; found.has(name); again++) name = `${slug}-${again}`
    found.add(name)
  }
  return found
}

/** What is wrong with the relative links of a page. */
function brokenLinks(path: string, markdown: string): string[] {
  const code = /`[^`\n]*`/g
  const targets = [
    ...prose(markdown)
      .replaceAll(code, '')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ].map(([, target = '']) => target)
  return targets.flatMap((target) => {
    if (/^[a-z]+:/.test(target)) return []
    const [file = '', anchor] = target.split('#')
    const to = file === '' ? path : relative(root, join(root, dirname(path), file))
    if (to.startsWith('..') || (to !== path && !existsSync(join(root, to))))
      return [`${path}: ${target} does not exist`]
    if (anchor === undefined || !to.endsWith('.md')) return []
    const text = to === path ? markdown : read(to)
    return anchors(text).has(anchor) ? [] : [`${path}: ${target}: no such heading`]
  })
}

test('every relative link leads to a file, and to a heading of it', () => {
  assert.ok(documents.length > 20, `${documents.length} documents`)
  assert.deepEqual(
    documents.flatMap((path) => brokenLinks(path, read(path))),
    [],
  )
})

test('a link that leads nowhere is found', () => {
  const page = '# One\n## Two, `x.y`\n[a](nowhere.md) [b](#three) [c](#two-xy) [d](LICENSE) [e](https://e.example/)'
  assert.deepEqual(brokenLinks('x.md', page), ['x.md: nowhere.md does not exist', 'x.md: #three: no such heading'])
})

const silent = { out() {}, err() {}, paint: (_: unknown, text: string) => text, isTerminal: false }
const program = buildProgram({ terminal: silent, version: '0', command: 'frontdesk', launched: false, exitCode: 0 })

/** Each call of the program that a page shows, without what explains it. */
function calls(markdown: string): string[] {
  const lines = blocks(markdown)
    .filter(({ language }) => language !== 'json')
    .flatMap(({ text }) => text.split('\n'))
  const inline = [...prose(markdown).matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text)
  return [...lines, ...inline].flatMap((line) => {
    // `frontdesk 0.1.0 · …` is what it prints.
    const [, call] = /^\s*(frontdesk(?: +(?!\d).*)?)$/.exec(line) ?? []
    return call === undefined ? [] : [call.split(/ {2,}| [|>] /)[0] ?? '']
  })
}

/** What is wrong with a call, or null. */
function mistake(call: string): string | null {
  const words = call.split(' ').slice(1)
  let command: Command = program
  for (const word of withDefaultCommand(words.map((one) => one.replace(/^\[(.*)\]$/, '$1')))) {
    if (word === '…') continue
    if (word.startsWith('-')) {
      const known = ['-h', '--help'].includes(word) || command.options.some((o) => o.long === word || o.short === word)
      if (!known) return `"${call}": ${command.name()} has no ${word}`
      continue
    }
    const sub = command.commands.find((one) => one.name() === word)
    if (sub !== undefined) command = sub
    else if (command.commands.length > 0) return word === 'help' ? null : `"${call}": there is no ${word}`
  }
  return null
}

const withCommands = documents.filter((path) => !path.startsWith('bench/results/'))

test('every call of the program that a document shows is one it understands', () => {
  const all = withCommands.flatMap((path) => calls(read(path)))
  assert.ok(all.length > 40, `${all.length} calls`)
  assert.deepEqual(
    all.map(mistake).filter((one) => one !== null),
    [],
  )
})

test('a call that it does not understand is found', () => {
  const found = calls('```\nfrontdesk fly   to the moon\n  frontdesk 0.1.0 · node\n```\n`frontdesk status --loud`')
  assert.deepEqual(found.map(mistake), [
    '"frontdesk fly": there is no fly',
    '"frontdesk status --loud": status has no --loud',
  ])
})

test('every npm script that a document names exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const named = documents.flatMap((path) =>
    [...read(path).matchAll(/\bnpm run ([\w:]+)/g)].map(([, name = '']) => name),
  )
  assert.ok(named.length > 10)
  assert.deepEqual(
    named.filter((name) => scripts[name] === undefined),
    [],
  )
})

for (const path of [
  'README.md',
  'docs/guide/access.md',
  'docs/guide/bodies.md',
  'docs/guide/getting-started.md',
  'docs/guide/limits.md',
  'docs/guide/listening.md',
  'docs/guide/routes.md',
  'docs/guide/tcp.md',
  'docs/guide/tls.md',
  'docs/reference/configuration.md',
]) {
  test(`every configuration in ${path} is valid`, () => {
    const shown = blocks(read(path)).filter(({ language }) => language === 'json')
    assert.ok(shown.length > 0)
    for (const { text } of shown) assert.deepEqual(loadConfig({ text, env: {} }).warnings, [])
  })
}

test('the guide to routes names every variable, and where it is known', () => {
  const page = read('docs/guide/routes.md')
  for (const { name, family, meaning } of variables) {
    assert.ok(page.includes(`| \`{${name}${family === true ? '.NAME' : ''}}\` | ${meaning}`), name)
  }
})

test('the page on observability has every member and variable of a log line, and what is hidden in it', () => {
  const page = read('docs/guide/observability.md').replaceAll(/\n/g, ' ')
  for (const name of jsonFields) assert.ok(page.includes(`\`${name}\``), name)
  for (const { name } of logVariables) assert.ok(page.includes(`\`{${name}}\``), name)
  for (const { name } of logFamilies) assert.ok(page.includes(`\`{${name}.NAME}\``), name)
  for (const name of redactedByDefault.query) assert.ok(page.includes(`\`${name}\``), name)
  for (const name of redactedByDefault.headers) assert.ok(page.toLowerCase().includes(`\`${name}\``), name)
})

test('the page on caching has every setting, every result, and every reason not to store', () => {
  const page = read('docs/guide/caching.md').replaceAll(/\n/g, ' ')
  const { properties } = configJsonSchema()
  const settings = [properties!.cache!, properties!.cache_store!].flatMap(objectsOf)
  const keys = settings.flatMap((one) => Object.keys(one.properties ?? {}))
  assert.ok(keys.length > 25, `${keys.length} settings`)
  for (const name of [...keys, ...cacheResults, ...storeRefusals])
    assert.match(page, new RegExp(`[\`"]${name}[\`"]`), name)
})

/** Every object in a schema. */
function objectsOf(schema: JsonSchema): JsonSchema[] {
  const inner = [...(schema.anyOf ?? []), ...Object.values(schema.properties ?? {})].flatMap(objectsOf)
  return schema.properties === undefined ? inner : [schema, ...inner]
}

test('the configuration of the README is the one in examples/', () => {
  const shown = blocks(read('README.md')).find(({ language }) => language === 'json')
  assert.deepEqual(JSON.parse(shown?.text ?? ''), JSON.parse(read('examples/config.json')))
})

test('the README names every strategy, the change log every command', () => {
  for (const name of Object.keys(strategies)) assert.ok(read('README.md').includes(`\`${name}\``), name)
  for (const command of program.commands)
    assert.ok(read('CHANGELOG.md').includes(`\`${command.name()}\``), command.name())
})

test('the indexes name every page', () => {
  const missing = (index: string, pages: string[]): string[] =>
    pages.filter((page) => page !== index && !read(index).includes(`](${relative(dirname(index), page)})`))
  const decisions = documents.filter((path) => path.startsWith('docs/adr/'))
  const others = documents.filter((path) => path.startsWith('docs/') && !path.startsWith('docs/adr/'))
  assert.ok(decisions.length > 9 && others.length > 9)
  assert.deepEqual(missing('docs/adr/README.md', decisions), [])
  assert.deepEqual(missing('docs/README.md', others), [])
})

test('examples/README.md tells of every example', () => {
  const examples = globSync('*', { cwd: join(root, 'examples') }).filter((name) => !/README|\.state\.json/.test(name))
  assert.deepEqual(
    examples.filter((name) => !read('examples/README.md').includes(`](${name})`)),
    [],
  )
})
