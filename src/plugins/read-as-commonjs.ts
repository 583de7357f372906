// Modules written with import and export where Node reads CommonJS, because a package.json or the ending says so.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { basename } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { headPlace } from './code-place.ts'
import { type CodePlace, PluginError } from './plugin-error.ts'

const CHECK_MS = 5000

/** What V8 says of modules in CommonJS. */
const moduleSyntax =
  /^(?:Cannot use import statement outside a module|Cannot use 'import\.meta' outside a module|Unexpected token 'export')/

/**
 * What is wrong with a file before it is imported; null = nothing, or something else. Node tells of such a file with a
 * warning of its own, in which the name to give it is the wrong one: so it never comes to see it.
 */
export async function readAsCommonJs(url: string): Promise<PluginError | null> {
  try {
    const file = fileURLToPath(url)
    // Most are told apart by this, and cost no process.
    if (!isCommonJs(file) || !/^(?:import|export)\b/m.test(readFileSync(file, 'utf8'))) return null
    const report = await compiled(file)
    const [, message = ''] = /^SyntaxError: (.*)$/m.exec(report) ?? []
    return moduleSyntax.test(message) ? errorFor(headPlace(report) ?? { file, line: 1, column: 1 }) : null
  } catch {
    return null // What cannot be read here is told by who imports it.
  }
}

/** The same of an error of importing it: the file may be one that it imports itself. */
export function commonJsError(error: unknown, place: CodePlace | null): PluginError | null {
  if (!(error instanceof SyntaxError) || place === null) return null
  try {
    return moduleSyntax.test(error.message) && isCommonJs(place.file) ? errorFor(place) : null
  } catch {
    return null // Such an error can be thrown by anybody, of any file.
  }
}

function errorFor(place: CodePlace): PluginError {
  const name = basename(place.file).replace(/\.c?([jt]s)$/i, '.m$1')
  const other = /\.c[jt]s$/i.test(place.file)
    ? ''
    : `, or set "type": "module" in ${findPackageJSON(hrefOf(place.file))}`
  return new PluginError('has import or export, and Node reads it as CommonJS', `name it ${name}${other}`, place)
}

const hrefOf = (file: string): string => pathToFileURL(file).href

/** Without a "type" Node looks at the code itself. */
function isCommonJs(file: string): boolean {
  if (/\.c[jt]s$/i.test(file)) return true
  const found = /\.[jt]s$/i.test(file) ? findPackageJSON(hrefOf(file)) : undefined
  return found !== undefined && (JSON.parse(readFileSync(found, 'utf8')) as { type?: unknown }).type === 'commonjs'
}

/** In a process of its own: taking types out is an experiment of Node's, of which it warns. */
const compile = `
const { readFileSync } = require('node:fs')
const file = process.argv[1]
try {
  const text = readFileSync(file, 'utf8')
  const code = /ts$/i.test(file) ? require('node:module').stripTypeScriptTypes(text) : text
  require('node:vm').compileFunction(code, ['exports', 'require', 'module', '__filename', '__dirname'], { filename: file })
} catch (error) {
  process.stdout.write(String(error.stack))
}`

function compiled(file: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--no-warnings', '-e', compile, file], { timeout: CHECK_MS }, (_error, report) =>
      resolve(report),
    )
  })
}
