// What the guides to own code and to testing show is right: it passes the compiler, is taken by `check`, and its tests pass.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { emptyProject } from '../support/example.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { snippetsOf } from '../support/snippets.ts'
import { CliProcess, cli, root } from './cli-process.ts'

/** A project with every file that a page shows: the first line of each says its name. */
function projectOf(scope: Scope, page: string): { dir: string; files: string[] } {
  const dir = emptyProject(scope)
  const files = snippetsOf(page).map(({ code, line }) => {
    const [, name] = /^\/\/ (\S+\.ts)\n/.exec(code) ?? assert.fail(`${page}, line ${line}: a block without a name`)
    mkdirSync(dirname(join(dir, name!)), { recursive: true })
    writeFileSync(join(dir, name!), code)
    return name!
  })
  const compilerOptions = { noEmit: true, types: [join(root, 'node_modules/@types/node')] }
  writeFileSync(
    join(dir, 'tsconfig.json'),
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files }),
  )
  return { dir, files }
}

async function passesTheCompiler(scope: Scope, dir: string): Promise<void> {
  const compiler = new CliProcess(scope.t, ['-p', dir], {
    script: join(root, 'node_modules/typescript/bin/tsc'),
    cwd: dir,
  })
  const { code, stdout } = await compiler.ended()
  assert.deepEqual({ code, stdout }, { code: 0, stdout: '' })
}

leakTest('the guide to own code', async (scope) => {
  const { dir } = projectOf(scope, 'docs/guide/plugins.md')
  await passesTheCompiler(scope, dir)
  const typescript = await cli(scope.t, ['check', '-c', 'frontdesk.config.ts'], { cwd: dir })
  assert.deepEqual([typescript.code, typescript.stderr], [0, ''])
  const [, json = ''] =
    /^```json\n([\s\S]*?)^```$/m.exec(readFileSync(join(root, 'docs/guide/plugins.md'), 'utf8')) ?? []
  writeFileSync(join(dir, 'config.json'), json)
  mkdirSync(join(dir, 'node_modules/some-package'))
  writeFileSync(join(dir, 'node_modules/some-package/index.js'), 'exports.middleware = { other: { onFinish() {} } }')
  const named = await cli(scope.t, ['check', '-c', 'config.json'], { cwd: dir })
  assert.deepEqual([named.code, named.stderr], [0, ''])
})

leakTest('the guide to testing', async (scope) => {
  const { dir, files } = projectOf(scope, 'docs/guide/testing.md')
  await passesTheCompiler(scope, dir)
  assert.ok(files.length >= 5 && files.every((name) => name.endsWith('.test.ts')), files.join())
  const runner = new CliProcess(scope.t, files, { script: '--test', cwd: dir })
  const { code, stdout } = await runner.ended()
  assert.equal(code, 0, stdout)
  assert.match(stdout, /(?:ℹ|#) fail 0\n/)
})
