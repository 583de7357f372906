// Modules as people write them, in files, imported for real.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { PluginModuleSpec } from '../core/route-spec.ts'
import { PluginError } from './plugin-error.ts'
import { PluginLoader } from './plugin-loader.ts'
import { noPlugins } from './registry.ts'
import { resolveModule } from './resolve-module.ts'
import { readPlugin } from './values.ts'

const folder = mkdtempSync(join(tmpdir(), 'frontdesk-plugins-'))
after(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}

const specOf = (label: string, kind: PluginModuleSpec['kind'] = 'plugin'): PluginModuleSpec => ({
  kind,
  url: resolveModule(label, folder),
  label,
})

async function failure(promise: Promise<unknown>): Promise<PluginError> {
  const error = await promise.then(
    () => assert.fail('it was loaded'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof PluginError, String(error))
  return error
}

const load = (name: string, text: string, limitMs?: number) => {
  write(name, text)
  return new PluginLoader(limitMs).load([specOf(`./${name}`)])
}

const plugin = (name: string): string => `export default { middleware: { ${name}: { onRequest() {} } } }\n`

describe('what is loaded', () => {
  test('TypeScript, JavaScript and CommonJS; the default export, or the one named plugin', async () => {
    write(
      'types.ts',
      'interface O { a: number }\nexport const plugin = { middleware: { a: (o: O) => ({ onRequest() {} }) } }\n',
    )
    write('plain.mjs', plugin('b'))
    write('old.cjs', 'module.exports = { middleware: { c: { onFinish() {} } } }\n')
    write('compiled.cjs', 'exports.__esModule = true\nexports.default = { middleware: { d: { onFinish() {} } } }\n')
    const registry = await new PluginLoader().load(
      ['./types.ts', './plain.mjs', './old.cjs', './compiled.cjs'].map((name) => specOf(name)),
    )
    for (const name of ['a', 'b', 'c', 'd']) assert.ok(registry.middleware(name) !== undefined, name)
    assert.equal(registry.sourceOf('middleware', 'b'), './plain.mjs')
  })

  test('a configuration is searched for its functions', async () => {
    write('frontdesk.config.ts', 'export default { routes: [{ pool: "a", use: ["x", { onRequest() {} }] }] }\n')
    const registry = await new PluginLoader().load([specOf('./frontdesk.config.ts', 'configuration')])
    assert.ok(registry.middleware('@routes[0].use[1]') !== undefined)
  })

  test('packages are found from the folder on, also those for import alone', async () => {
    const manifest = {
      name: 'own-step',
      type: 'module',
      exports: { '.': { import: './a.js' }, './b': { import: './b.js' } },
    }
    write('node_modules/own-step/package.json', JSON.stringify(manifest))
    write('node_modules/own-step/a.js', plugin('a'))
    write('node_modules/own-step/b.js', plugin('b'))
    write('node_modules/older/package.json', '{ "name": "older", "main": "main.js" }')
    write('node_modules/older/main.js', 'module.exports = { middleware: { older: { onRequest() {} } } }')
    const registry = await new PluginLoader().load([specOf('own-step'), specOf('own-step/b'), specOf('older')])
    for (const name of ['a', 'b', 'older']) assert.ok(registry.middleware(name) !== undefined, name)
  })

  test('each once, and again when its content has changed', async () => {
    const count = globalThis as { imports?: number }
    const text = 'globalThis.imports = (globalThis.imports ?? 0) + 1\n'
    write('counted.ts', text + plugin('one'))
    const loader = new PluginLoader()
    const before = specOf('./counted.ts')
    await loader.load([before])
    await loader.load([specOf('./counted.ts')])
    assert.equal(count.imports, 1)
    write('counted.ts', text + plugin('two'))
    const after = specOf('./counted.ts')
    assert.notEqual(after.url, before.url)
    const registry = await loader.load([after])
    assert.equal(count.imports, 2)
    assert.deepEqual([registry.middleware('one'), typeof registry.middleware('two')], [undefined, 'object'])
    delete count.imports
  })

  test('what the reader of the configuration knows is not imported; it is forgotten when others are in force', async () => {
    const inline = (url: string): PluginModuleSpec => ({ kind: 'inline', url, label: 'configuration' })
    const values = readPlugin({ middleware: { a: { onRequest() {} } } })
    const loader = new PluginLoader()
    assert.equal(loader.find([]), noPlugins)
    assert.equal(loader.find([inline('inline:1')]), null)
    loader.know([{ spec: inline('inline:1'), values }])
    loader.know([{ spec: inline('inline:2'), values }])
    loader.know([{ spec: inline('inline:3'), values }])
    assert.ok((await loader.load([inline('inline:2')])).middleware('a') !== undefined)
    loader.settle([inline('inline:2')])
    assert.equal(loader.find([inline('inline:1')]), null)
    assert.notEqual(loader.find([inline('inline:3')]), null)
    const { words, label } = await failure(loader.load([inline('inline:1')]))
    assert.equal(`${label} ${words}`, 'configuration holds functions of the program itself, which no other thread has')
  })
})

describe('what cannot be loaded', () => {
  test('broken code is told with its line and column, in TypeScript and in JavaScript', async () => {
    const ts = await failure(load('broken.ts', 'const a = 1\nconst b: number = ;\n'))
    assert.equal(ts.words, `${join(folder, 'broken.ts')}:2:19: broken code: Expression expected`)
    assert.equal(ts.label, './broken.ts')
    const js = await failure(load('broken.mjs', 'const a = 1\nconst b = ;\n'))
    assert.equal(js.words, `${join(folder, 'broken.mjs')}:2:11: broken code: Unexpected token ';'`)
  })

  test('syntax that would have to be compiled', async () => {
    const { words } = await failure(load('enum.ts', 'enum A { b }\nexport default A\n'))
    assert.match(words, /enum\.ts:1:1: .*enum is not supported.*; types are taken out and nothing is compiled/)
  })

  test('what it throws, with its place, whatever it is', async () => {
    const { words } = await failure(load('throws.ts', 'function f(): never {\n  throw new Error("no key")\n}\nf()\n'))
    assert.equal(words, `${join(folder, 'throws.ts')}:2:9: failed while it was loaded: no key`)
    assert.equal((await failure(load('odd.ts', 'throw null\n'))).words, 'failed while it was loaded: null')
    const unreadable = 'throw { get message() { throw 1 }, toString() { throw 2 } }\n'
    assert.match(
      (await failure(load('evil.ts', unreadable))).words,
      /^failed while it was loaded: something that cannot be shown/,
    )
  })

  test('an error in what it imports has the place there', async () => {
    write('inner.ts', 'export const a: = 1\n')
    const { words } = await failure(load('outer.ts', 'import { a } from "./inner.ts"\nexport default a\n'))
    assert.ok(words.startsWith(`${join(folder, 'inner.ts')}:1:`), words)
    const missing = await failure(load('lost.ts', 'import "./nowhere.ts"\n'))
    assert.match(missing.words, /Cannot find module '.*nowhere\.ts'.*; imports of files name their ending/)
    write('named.mjs', 'export const a = 1\n')
    const noExport = await failure(load('wants.ts', 'import { b } from "./named.mjs"\nexport default b\n'))
    assert.match(noExport.words, /wants\.ts:1:\d+: broken code: .* does not provide an export named 'b'$/)
  })

  test('a module that never comes to an end is given up', async () => {
    const { words } = await failure(load('hangs.ts', 'await new Promise(() => {})\n', 50))
    assert.match(words, /^is not loaded after 0\.05 s; something that it awaits/)
  })

  test('no plug-in in it', async () => {
    assert.match((await failure(load('empty.ts', 'export {}\n'))).words, /^is nothing, and no plug-in/)
  })

  test('names that lead nowhere', () => {
    const words = (name: string): string => {
      try {
        return resolveModule(name, folder)
      } catch (error) {
        return (error as PluginError).words
      }
    }
    assert.match(words('./nothing.ts'), /^there is no file .*nothing\.ts; it is looked for from the folder/)
    assert.match(words('./node_modules'), /is a directory; name the file in it$/)
    assert.equal(words('no-such-package'), 'is not installed here; npm install no-such-package')
    assert.equal(words('limit.ts'), 'is not installed here; a file is written "./limit.ts"')
    write('node_modules/closed/package.json', '{ "name": "closed", "exports": { "./a": "./a.js" } }')
    assert.match(words('closed/b'), /not defined by "exports"/)
  })
})
