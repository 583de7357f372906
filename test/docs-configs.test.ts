// Every configuration that the documents show is valid. A block `json`, `jsonc` or `yaml` is a configuration, and so is a `ts`
// that calls `defineConfig`, unless the line before it is `<!-- no configuration -->` (an answer of the API, say) or a link to
// the file of another name that it shows.
import assert from 'node:assert/strict'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { ConfigError, type LoadedConfig } from '../src/config/load.ts'
import { loadWithPlugins } from '../src/config/load-with-plugins.ts'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'frontdesk-docs-'))
after(() => rmSync(folder, { recursive: true, force: true }))
mkdirSync(join(folder, 'node_modules'))
symlinkSync(root, join(folder, 'node_modules', 'frontdesk'))

const skipped = new Set(['node_modules', 'dist', '.git', '.work', 'results'])
const pages = globSync('**/*.md', { cwd: root, exclude: (path) => skipped.has(basename(path)) }).sort()
/** Whole projects, which a test of their own runs (test/e2e/plugins-guide.test.ts). */
const tested = new Set(['docs/guide/plugins.md', 'docs/guide/testing.md'])

interface Block {
  readonly line: number
  readonly language: string
  readonly text: string
  /** The file that it shows, relative to the page; null = none. */
  readonly file: string | null
}

const endings: Readonly<Record<string, string>> = { json: 'json', jsonc: 'jsonc', yaml: 'yaml', yml: 'yaml', ts: 'ts' }

function configurationsIn(markdown: string): Block[] {
  return [...markdown.matchAll(/^( *)```(\w+)\n([\s\S]*?)^\1```$/gm)].flatMap(
    ({ index, 1: indent = '', 2: language = '', 3: code = '' }) => {
      const ahead = markdown.slice(0, index).trimEnd().split('\n').at(-1) ?? ''
      const shownFile = /^\[[^\]]*\]\(([^)]+)\)$/.exec(ahead)?.[1]
      const isOther =
        ahead.trim() === '<!-- no configuration -->' || (shownFile !== undefined && !/\bconfig\.\w+$/.test(shownFile))
      if (isOther || !(language in endings) || (language === 'ts' && !code.includes('defineConfig('))) return []
      const text = code
        .split('\n')
        .map((line) => line.slice(indent.length))
        .join('\n')
      return [{ line: markdown.slice(0, index).split('\n').length, language, text, file: shownFile ?? null }]
    },
  )
}

const urls = { http: 'http://127.0.0.1:3000', tcp: 'tcp://127.0.0.1:5432' }

/** What a variable without a default may hold, so that only the rest of the configuration counts. */
function candidates(text: string): string[] {
  const isTcp = /"?protocol"?:\s*"?tcp/.test(text)
  return [isTcp ? urls.tcp : urls.http, 'a-long-enough-text-of-0123456789abcdef']
}

/** Loads it beside the files that it names; those it names by an absolute path are looked for there, too. */
async function load({ language, text }: Block, nth: number): Promise<LoadedConfig> {
  const dir = join(folder, String(nth))
  mkdirSync(dir, { recursive: true })
  const path = join(dir, `config.${endings[language]}`)
  const local = text.replace(/"\/(?:run\/secrets|etc\/frontdesk)\//g, '"')
  writeFileSync(path, local)
  let failure: unknown
  for (const value of candidates(text)) {
    const env = new Proxy({}, { get: (_, name) => (name === 'toJSON' ? undefined : value), has: () => true }) as Record<
      string,
      string
    >
    const withoutDefaults = /(?<!\$)\$\{\w+\}/.test(text)
    for (let tries = 0; tries < 8; tries++) {
      try {
        return await loadWithPlugins({ path, env: withoutDefaults ? onlyMissing(text, env) : {} })
      } catch (error) {
        failure = error
        if (!makeMissingFiles(error, dir)) break
      }
    }
  }
  throw failure
}

/** Variables with a default keep it. */
function onlyMissing(text: string, env: Readonly<Record<string, string>>): Record<string, string> {
  const names = [...text.matchAll(/(?<!\$)\$\{(\w+)\}/g)].map(([, name]) => name!)
  return Object.fromEntries(names.map((name) => [name, env[name]!]))
}

/** A file that is only named by a page is there. False = that was not what is wrong. */
function makeMissingFiles(error: unknown, dir: string): boolean {
  if (!(error instanceof ConfigError)) return false
  const missing = error.problems.filter(({ message }) => message.includes('there is no such file'))
  for (const { value, message } of missing) {
    const name = typeof value === 'string' ? value : (/"([^"]+)"/.exec(message)?.[1] ?? '')
    if (name === '' || name.startsWith('/')) return false
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    const holdsUsers = /users|passwd/.test(name)
    writeFileSync(join(dir, name), holdsUsers ? '' : `content of ${name}`)
  }
  return missing.length > 0
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8')
let count = 0
for (const page of pages) {
  // The reference to what may be imported shows parts of programs, not configurations.
  const isParts = ({ language }: Block): boolean => language === 'ts' && page.startsWith('docs/reference/')
  const shown = tested.has(page) ? [] : configurationsIn(read(page)).filter((block) => !isParts(block))
  if (shown.length === 0) continue
  test(`${page}: ${shown.length} configurations`, async () => {
    for (const block of shown) {
      const where = `${page}, line ${block.line}`
      const loading =
        block.file === null
          ? load(block, (count += 1))
          : loadWithPlugins({ path: join(root, dirname(page), block.file), env: {} })
      const loaded = await loading.catch((error: Error) => assert.fail(`${where}: ${error.message}`))
      assert.deepEqual(loaded.warnings, [], where)
    }
  })
}

test('a configuration that is wrong would be found', async () => {
  const markdown =
    'Text\n\n```json\n{ "backend": [] }\n```\n\n<!-- no configuration -->\n```json\n[]\n```\n\n  ```yaml\n  port: 1\n  ```\n'
  const found = configurationsIn(markdown)
  assert.deepEqual(found, [
    { line: 3, language: 'json', text: '{ "backend": [] }\n', file: null },
    { line: 12, language: 'yaml', text: 'port: 1\n', file: null },
  ])
  await assert.rejects(load(found[0]!, 0), ConfigError)
})
