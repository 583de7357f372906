// What is said of the examples: each has a page and a test, its commands name what exists, the guide shows them as they are.
import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { exampleFiles, exampleNames, examplesGuide } from '../../scripts/generators/examples.ts'
import { loadWithPlugins } from '../../src/config/load-with-plugins.ts'
import { examples } from '../support/example.ts'
import { root } from './cli-process.ts'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const folders = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

test('there are ten, each listed, with a page and a test', () => {
  assert.deepEqual(exampleNames().toSorted(), folders.toSorted())
  assert.ok(folders.length >= 10)
  const tests = globSync('test/e2e/examples-*.test.ts', { cwd: root }).map(read).join('')
  for (const name of folders) {
    assert.ok(existsSync(join(examples, name, 'README.md')), `${name} has a page`)
    assert.match(
      tests,
      new RegExp(`(Test|test)\\(\\s*['"\`]${name}: |\\['express', 'fastify'\\]`),
      `${name} has a test`,
    )
  }
})

/** Paths in the commands of a page that do not exist. */
function missing(markdown: string): string[] {
  const commands = [...markdown.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, text]) => text).join('')
  const named = [...commands.matchAll(/\bexamples\/[\w./-]+/g)].map(([path]) => path)
  // Made by the script that is named above them.
  return named.filter((path) => !existsSync(join(root, path)) && !path.includes('/certificates/'))
}

test('the commands of the pages name files that exist', () => {
  const pages = ['examples/README.md', ...folders.map((name) => `examples/${name}/README.md`)]
  for (const page of pages) assert.deepEqual(missing(read(page)), [], page)
  assert.deepEqual(missing('```\nnode examples/nothing/here.ts\n```\n'), ['examples/nothing/here.ts'])
})

test('every file of an example is named on its page or by a file that is', () => {
  for (const name of folders) {
    const files = exampleFiles(name)
    const texts = [`examples/${name}/README.md`, ...files].map(read).join('')
    for (const file of files) assert.ok(texts.includes(file.split('/').at(-1)!), `${file} is used`)
  }
})

test('the guide shows them as they are', async () => {
  const guide = read(examplesGuide.file)
  assert.ok(guide === (await examplesGuide.render()), `${examplesGuide.file} is stale: npm run generate`)
  for (const file of folders.flatMap(exampleFiles)) assert.ok(guide.includes(`\n${read(file).trimEnd()}\n`), file)
})

test('there is no doubt about any of their configurations', async () => {
  const configurations = folders.flatMap(exampleFiles).filter((file) => /\/(frontdesk\.)?config\.\w+$/.test(file))
  assert.ok(configurations.length >= 6)
  for (const file of configurations) {
    const { warnings } = await loadWithPlugins({ path: join(root, file), env: {} })
    assert.deepEqual(warnings, [], file)
  }
})

test('nothing secret lies among them', () => {
  for (const file of folders.flatMap(exampleFiles)) assert.doesNotMatch(read(file), /PRIVATE KEY|BEGIN CERT/, file)
  assert.ok(read('.gitignore').split('\n').includes('examples/two-names/certificates/'))
})
