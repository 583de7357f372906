// What the guides to own code and to testing show is right: it passes the compiler, is taken by `check`, and its tests pass.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { emptyProject } from '../support/example.ts'
import { Scope } from '../support/leaks.ts'
import { snippetsOf } from '../support/snippets.ts'
import { within } from '../support/wait.ts'
import { CliProcess, cli, type Ended, root } from './cli-process.ts'

const pages = { code: 'docs/guide/plugins.md', tests: 'docs/guide/testing.md' } as const
/** The compiler reads all of Frontdesk, which takes a while on a busy machine. */
const PATIENCE_MS = 120_000
const patient = { timeout: 2 * PATIENCE_MS }

/** Writes every file that a page shows: the first line of each says its name. */
function writeFiles(dir: string, page: string): string[] {
  return snippetsOf(page).map(({ code, line }) => {
    const [, name] = /^\/\/ (\S+\.ts)\n/.exec(code) ?? assert.fail(`${page}, line ${line}: a block without a name`)
    mkdirSync(dirname(join(dir, name!)), { recursive: true })
    writeFileSync(join(dir, name!), code)
    return name!
  })
}

function run(t: TestContext, dir: string, script: string, args: readonly string[]): Promise<Ended> {
  return within(`the end of ${script}`, new CliProcess(t, args, { script, cwd: dir }).closed, PATIENCE_MS)
}

test('all of it passes the compiler', patient, async (t) => {
  const dir = emptyProject(new Scope(t))
  const files = Object.values(pages).flatMap((page) => writeFiles(dir, page))
  const compilerOptions = { noEmit: true, types: [join(root, 'node_modules/@types/node')] }
  const project = { extends: join(root, 'tsconfig.json'), compilerOptions, files }
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(project))
  const { code, stdout } = await run(t, dir, join(root, 'node_modules/typescript/bin/tsc'), ['-p', dir])
  assert.deepEqual({ code, stdout }, { code: 0, stdout: '' })
})

test('the configurations of the guide to own code are valid', patient, async (t) => {
  const dir = emptyProject(new Scope(t))
  writeFiles(dir, pages.code)
  const typescript = await cli(t, ['check', '-c', 'frontdesk.config.ts'], { cwd: dir })
  assert.deepEqual([typescript.code, typescript.stderr], [0, ''])
  const [, json = ''] = /^```json\n([\s\S]*?)^```$/m.exec(readFileSync(join(root, pages.code), 'utf8')) ?? []
  writeFileSync(join(dir, 'config.json'), json)
  mkdirSync(join(dir, 'node_modules/some-package'))
  const other = 'exports.middleware = { other: { onFinish() {} } }'
  writeFileSync(join(dir, 'node_modules/some-package/index.js'), other)
  const named = await cli(t, ['check', '-c', 'config.json'], { cwd: dir })
  assert.deepEqual([named.code, named.stderr], [0, ''])
})

test('the tests of the guide to testing pass', patient, async (t) => {
  const dir = emptyProject(new Scope(t))
  const files = writeFiles(dir, pages.tests)
  assert.ok(files.length >= 5 && files.every((name) => name.endsWith('.test.ts')), files.join())
  const { code, stdout } = await run(t, dir, '--test', files)
  assert.equal(code, 0, stdout)
  assert.match(stdout, /(?:ℹ|#) fail 0\n/)
})
