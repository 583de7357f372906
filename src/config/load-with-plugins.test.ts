import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { Middleware } from '../core/plugin.ts'
import { registryOf } from '../plugins/values.ts'
import type { LoadedConfig } from './load.ts'
import { loadWithPlugins, type PluginLoadOptions } from './load-with-plugins.ts'
import { ConfigError } from './problem.ts'

const folder = mkdtempSync(join(tmpdir(), 'frontdesk-config-'))
after(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

async function problems(loading: Promise<LoadedConfig>): Promise<string[]> {
  const error = await loading.then(
    () => assert.fail('it was loaded'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ConfigError, String(error))
  return error.format().split('\n')
}

/** A JSON configuration with these keys, beside the modules. */
const json = (keys: object, o: Partial<PluginLoadOptions> = {}): Promise<LoadedConfig> =>
  loadWithPlugins({
    path: write('config.json', JSON.stringify({ backends: ['http://localhost:1'], ...keys }, null, 1)),
    ...o,
  })

write(
  'steps.ts',
  `interface Options { readonly max?: number }
export default {
  middleware: {
    stamp: { onRequest() {} },
    limit: ({ max }: Options) => {
      if (max === undefined) throw new RangeError('limit: max is missing')
      return { onRequest() {} }
    },
    wrong: () => ({ onrequest() {} }),
    late: async () => { throw new Error('nobody waits for this') },
  },
  strategies: { nearest: { build: ({ options }) => { if (options.zone === undefined) throw new Error('no zone'); return () => undefined } } },
  matchers: { tenant: ({ id }) => () => id !== '', odd: () => true },
}
`,
)

describe('a configuration in JSON', () => {
  test('names modules, and what they bring with its options', async () => {
    const loaded = await json({
      plugins: ['./steps.ts'],
      strategy: { custom: { nearest: { zone: 'a' } } },
      routes: [
        {
          match: { path: '/a', custom: { tenant: { id: 'x' } } },
          pool: 'default',
          use: ['stamp', { limit: { max: 1 } }],
        },
        { pool: 'default' },
      ],
    })
    assert.deepEqual(
      loaded.config.plugins.map(({ kind, label }) => [kind, label]),
      [['plugin', './steps.ts']],
    )
    assert.match(loaded.config.plugins[0]!.url, /^file:.*steps\.ts\?content=[0-9a-f]{16}$/)
    const registry = registryOf(loaded.plugins)
    assert.equal(typeof registry.middleware('limit'), 'function')
    assert.equal(registry.sourceOf('strategy', 'nearest'), './steps.ts')
  })

  test('what cannot be had is told with its place in the file', async () => {
    const found = await problems(
      json({
        plugins: ['./steps.ts'],
        strategy: { custom: 'nearest' },
        routes: [
          {
            match: { path: '/a', custom: 'tenants' },
            pool: 'default',
            use: ['stmp', { stamp: { a: 1 } }, 'limit', 'wrong', 'late'],
          },
          { match: { path: '/b', custom: 'odd' }, pool: 'default', use: '@routes[0].use[0]' },
          { pool: 'default' },
        ],
      }),
    )
    const short = found.map((line) => line.replace(/^.*config\.json:(\d+:\d+): /, '').replace(/^\d+:\d+: /, ''))
    assert.deepEqual(short, [
      'strategy: the strategy nearest of ./steps.ts could not be made: no zone',
      'routes[0].match.custom: no plug-in brings a matcher tenants; did you mean tenant?',
      'routes[0].use[0]: no plug-in brings a middleware stmp; did you mean stamp?',
      'routes[0].use[1]: the middleware stamp of ./steps.ts takes no options; it is middleware, and no function that makes some',
      'routes[0].use[2]: the middleware limit of ./steps.ts could not be made: limit: max is missing',
      'routes[0].use[3]: the middleware wrong of ./steps.ts has none of the hooks; did you mean onRequest?',
      'routes[0].use[4]: the middleware late of ./steps.ts is a promise, and no middleware; make it without awaiting',
      'routes[1].match.custom: the matcher odd of ./steps.ts gave a boolean for its options, and no function; (options) => (request) => true or false',
      'routes[1].use: @routes[0].use[0] stands for a function of a TypeScript configuration, and there is none; names of your own do not begin with @',
    ])
    for (const line of found) assert.match(line, /config\.json:\d+:\d+: /)
  })

  test('modules that cannot be loaded are told all together', async () => {
    write('broken.ts', 'export default {\n  middleware: {,\n')
    write('twice.ts', 'export default { middleware: { stamp: { onRequest() {} } } }')
    const found = await problems(json({ plugins: ['./nowhere.ts', './broken.ts', 'no-such-package'] }))
    assert.equal(found.length, 3)
    assert.match(found[0]!, /config\.json:\d+:\d+: plugins\[0\]: \.\/nowhere\.ts cannot be used: there is no file /)
    assert.match(found[1]!, /plugins\[1\]: \.\/broken\.ts cannot be used: .*broken\.ts:2:16: broken code: /)
    assert.match(
      found[2]!,
      /plugins\[2\]: no-such-package cannot be used: is not installed here; npm install no-such-package$/,
    )
    const [twice] = await problems(json({ plugins: ['./steps.ts', './twice.ts'] }))
    assert.match(
      twice!,
      /plugins: the middleware stamp comes from both \.\/steps\.ts and \.\/twice\.ts; names are unique/,
    )
  })

  test('what is wrong is never said to lie in Node', async () => {
    write('reaches.ts', 'import "./nowhere"\nexport default { matchers: { a: () => () => true } }')
    write('hostile.ts', 'throw { get code() { throw 1 }, get message() { throw 2 }, toString() { throw 3 } }')
    write('view.tsx', 'export default { matchers: { a: () => () => true } }')
    write('promise.ts', 'export default Promise.reject(new Error("nobody waits for this"))')
    const plugins = ['./reaches.ts', './view.tsx', './hostile.ts', 'node:fs', 'file://host/a.ts', './promise.ts']
    const found = await problems(json({ plugins }))
    const words = found.map((line) => line.replace(/^.* cannot be used: /, '').replaceAll(folder, ''))
    assert.deepEqual(words, [
      "Cannot find module '/nowhere' imported from /reaches.ts; imports of files name their ending, packages must be installed",
      'failed while it was loaded: Unknown file extension ".tsx" for /view.tsx',
      'failed while it was loaded: something that cannot be shown',
      'is a part of Node, and no plug-in; a file is written "./node:fs"',
      'is no file: File URL host must be "localhost" or empty on linux',
      'is a promise, and no plug-in: { middleware, strategies, matchers }',
    ])
  })

  test('without plug-ins a name says where they are named', async () => {
    const [found] = await problems(json({ routes: [{ pool: 'default', use: 'limit' }] }))
    assert.match(
      found!,
      /routes\[0\]\.use: no plug-in brings a middleware limit; name the module that brings it in "plugins"$/,
    )
  })
})

describe('a configuration tried out by somebody who may only look', () => {
  test('imports no module that is not in use, and calls none that is', async () => {
    const trace = join(folder, 'trace')
    const leaves = (what: string) => `appendFileSync(${JSON.stringify(trace)}, '${what} ')`
    const head = `import { appendFileSync } from 'node:fs'\n`
    write(
      'own.mjs',
      `${head}export default { middleware: { step: () => { ${leaves('called')}; return { onRequest() {} } } } }`,
    )
    write('other.mjs', `${head}${leaves('imported')}\nexport default { matchers: { any: () => true } }`)
    const loaded = await json({ plugins: ['./own.mjs'] })
    const inUse = { files: new Set(loaded.files), modules: new Set(['./own.mjs']) }
    const backends = ['http://localhost:1']
    const other = { backends, plugins: ['./own.mjs', './other.mjs'] }
    const step = { backends, plugins: ['./own.mjs'], routes: [{ pool: 'default', use: [{ step: { any: 1 } }] }] }
    assert.match(
      (await problems(loaded.withDocument(other, inUse))).join(),
      /plugins\[1\]: \.\/other\.mjs .*not in use/,
    )
    const changed = await loaded.withDocument(step, inUse)
    await changed.withChanges([], inUse)
    const missing = { ...step, routes: [{ pool: 'default', use: ['stop'] }] }
    assert.match((await problems(loaded.withDocument(missing, inUse))).join(), /stop/)
    assert.throws(() => readFileSync(trace), /ENOENT/)
    await loaded.withDocument({ ...step, plugins: other.plugins })
    assert.equal(readFileSync(trace, 'utf8'), 'imported called ', 'by others it is tried out')
  })
})

describe('a configuration in TypeScript', () => {
  const pool = "pools: { default: { backends: ['http://localhost:1'] } }"

  test('is imported, its functions are found by their places', async () => {
    const path = write(
      'frontdesk.config.ts',
      `import steps from './steps.ts'
const text: string = '\${NOT_A_VARIABLE}'
export default {
  port: 8080,
  state_file: text,
  plugins: [steps],
  routes: [{ pool: 'default', use: [{ name: 'inline', onRequest(request: object) {} }, 'stamp'] }],
  ${pool},
}
`,
    )
    const loaded = await loadWithPlugins({ path })
    assert.deepEqual(
      loaded.config.plugins.map(({ kind, label }) => [kind, label]),
      [['configuration', path]],
    )
    const registry = registryOf(loaded.plugins)
    assert.equal((registry.middleware('@routes[0].use[0]') as Middleware).name, 'inline')
    assert.equal(typeof registry.middleware('stamp'), 'object')
    assert.deepEqual(
      loaded.config.routes[0]!.use.map(({ name }) => name),
      ['@routes[0].use[0]', 'stamp'],
    )
    assert.equal(loaded.config.stateFile, join(folder, '$' + '{NOT_A_VARIABLE}'), 'process.env is for that')
  })

  test('without functions no worker has to import it', async () => {
    const path = write('plain.config.mjs', `export default { port: 8080, ${pool} }\n`)
    const { config, plugins } = await loadWithPlugins({ path })
    assert.deepEqual([config.plugins, plugins], [[], []])
  })

  test('is judged as any other, with the file and the place in it', async () => {
    const path = write(
      'wrong.config.ts',
      `export default { port: 0, prot: 1, ${pool}, routes: [{ pool: 'nobody', use: [{ onRequst() {} }, 'limit'] }] }\n`,
    )
    const found = await problems(loadWithPlugins({ path }))
    const places = found.map((line) => line.slice(0, line.indexOf(': ', path.length + 2)))
    assert.deepEqual(places, [`${path}: routes[0].use[0]`, `${path}: port`, `${path}: prot`, `${path}: routes[0].pool`])
    assert.match(found[2]!, /did you mean "port"\?$/)
  })

  test('where Node reads CommonJS, the name to give it is told', async () => {
    const below = join(folder, 'commonjs')
    mkdirSync(below)
    write('commonjs/package.json', '{ "type": "commonjs" }')
    const said = new Set<string>()
    const listen = (warning: Error) => void said.add(warning.message)
    process.on('warning', listen)
    after(() => process.off('warning', listen))
    const config = `export default { ${pool} }\n`
    const from = async (name: string, text: string) =>
      (await problems(loadWithPlugins({ path: write(`commonjs/${name}`, text) })))
        .join('\n')
        .replaceAll(`${below}/`, '')
    const words = 'has import or export, and Node reads it as CommonJS'
    const or = 'or set "type": "module" in package.json'
    assert.equal(
      await from('a.config.ts', `const a: number = 1\nimport b from 'b'\n${config}`),
      `a.config.ts:2:1: ${words}; name it a.config.mts, ${or}`,
    )
    assert.equal(await from('b.config.js', config), `b.config.js:1:1: ${words}; name it b.config.mjs, ${or}`)
    assert.equal(await from('c.config.cts', config), `c.config.cts:1:1: ${words}; name it c.config.mts`)
    write('commonjs/step.ts', 'export default { middleware: { a: { onRequest() {} } } }')
    const plugins = await problems(json({ plugins: ['./commonjs/step.ts'] }))
    assert.ok(plugins[0]!.includes(`commonjs/step.ts:1:1: ${words}; name it step.mts, or set "type"`), plugins[0])
    assert.deepEqual([...said], [], 'Node has never seen them')
    const inner = await from('d.config.mts', `import './step.ts'\n${config}`)
    assert.equal(inner, `step.ts:1:1: ${words}; name it step.mts, ${or}`)
  })

  test('CommonJS stays what it is, also with lines that look like a module', async () => {
    mkdirSync(join(folder, 'required'))
    write('required/package.json', '{ "type": "commonjs" }')
    const text = `import type { A } from './a.ts'\n/*\nexport default\n*/\nmodule.exports = { ${pool} } as object\n`
    const { config } = await loadWithPlugins({ path: write('required/frontdesk.config.ts', text) })
    assert.deepEqual(Object.keys(config.pools), ['default'])
  })

  test('a package that is not there is told with the file that imports it', async () => {
    const path = write('lacks.config.ts', `import a from 'no-such-package'\nexport default { a, ${pool} }\n`)
    assert.deepEqual(await problems(loadWithPlugins({ path })), [
      `${path}: Cannot find package 'no-such-package' imported from ${path}; imports of files name their ending, packages must be installed`,
    ])
  })

  test('what is no configuration', async () => {
    const words = async (name: string, text: string, limitMs?: number) =>
      (await problems(loadWithPlugins({ path: write(name, text), importLimitMs: limitMs })))
        .join('\n')
        .replaceAll(`${folder}/`, '')
    assert.equal(
      await words('no.ts', 'export const a = 1'),
      'no.ts: has no default export; export default defineConfig({ … })',
    )
    assert.match(await words('fn.ts', 'export default () => ({})'), /^fn\.ts: the default export is no configuration; /)
    assert.equal(
      await words('syntax.ts', 'const a = 1\nexport default {\n  a: ;\n}'),
      'syntax.ts:3:6: broken code: Expression expected',
    )
    assert.equal(
      await words('throws.ts', '\nthrow new Error("no database")'),
      'throws.ts:2:7: failed while it was loaded: no database',
    )
    assert.match(
      await words('hangs.ts', 'await new Promise(() => {})', 30),
      /^hangs\.ts: is not loaded after 0\.03 s; /,
    )
    assert.match(
      (await problems(loadWithPlugins({ path: join(folder, 'none.ts') })))[0]!,
      /none\.ts: there is no such file; /,
    )
  })
})

describe('a configuration that a program holds', () => {
  const backends = ['http://localhost:1']
  const step: Middleware = { onRequest: () => undefined }

  test('keeps its functions in the thread of the program', async () => {
    const loaded = await loadWithPlugins({
      value: { backends, routes: [{ pool: 'default', use: [step] }] },
      defaultWorkers: 0,
    })
    assert.equal(loaded.config.plugins[0]!.kind, 'inline')
    assert.equal(registryOf(loaded.plugins).middleware('@routes[0].use[0]'), step)
    const again = await loadWithPlugins({
      value: { backends, routes: [{ pool: 'default', use: [step] }] },
      defaultWorkers: 0,
    })
    assert.notEqual(again.config.plugins[0]!.url, loaded.config.plugins[0]!.url)
  })

  test('a function in another place is named as one, without its text', async () => {
    const value = { backends: [() => 'secret'], port: () => 80, routes: [{ pool: () => 'default' }] }
    assert.deepEqual(await problems(loadWithPlugins({ value })), [
      'configuration: port: a function cannot stand here; expected a number',
      'configuration: backends[0]: a function cannot stand here; expected a string or an object',
      'configuration: routes[0].pool: a function cannot stand here; expected a string',
    ])
  })

  test('with workers it says what to do instead', async () => {
    const value = { backends, routes: [{ pool: 'default', use: [step] }], workers: 2 }
    assert.deepEqual(await problems(loadWithPlugins({ value })), [
      'configuration: workers: functions that are written into the configuration cannot be given to worker threads; set workers to 0, or put them into a module of their own and name it: plugins: ["./my-plugin.ts"]',
    ])
    await loadWithPlugins({ value: { ...value, routes: [] } })
  })
})
