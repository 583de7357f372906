// From the name of a module, as a configuration has it, to the URL that every thread imports.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { messageOf } from './describe-thrown.ts'
import { PluginError } from './plugin-error.ts'

/** A file beside the configuration, or a package that is installed there. @throws PluginError */
export function resolveModule(name: string, folder: string): string {
  return versionedUrl(isFile(name) ? fileOf(name, folder) : packageFile(name, folder))
}

/**
 * The URL of a file, with a query that changes with its content: Node imports a URL once and never again. What the file
 * imports itself stays as it was first read. @throws PluginError where it cannot be read.
 */
export function versionedUrl(path: string): string {
  let content: Buffer
  try {
    content = readFileSync(path)
  } catch (error) {
    throw new PluginError(...unreadable(path, (error as NodeJS.ErrnoException).code ?? String(error)))
  }
  const url = pathToFileURL(path)
  url.searchParams.set('content', createHash('sha256').update(content).digest('hex').slice(0, 16))
  return url.href
}

const isFile = (name: string): boolean => /^(\.{0,2}\/|file:)/.test(name)

function fileOf(name: string, folder: string): string {
  if (!name.startsWith('file:')) return resolve(folder, name)
  try {
    return fileURLToPath(name)
  } catch (error) {
    throw new PluginError(`is no file: ${messageOf(error)}`)
  }
}

/** As `import` finds it from that folder. */
function packageFile(name: string, folder: string): string {
  if (isBuiltin(name)) throw new PluginError('is a part of Node, and no plug-in', `a file is written "./${name}"`)
  const { resolve: find } = createRequire(join(folder, 'configuration.js'))
  try {
    return find(name, importConditions)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'MODULE_NOT_FOUND') throw new PluginError(message.split('\n')[0]!)
    const hint = /\.[cm]?[jt]s$/.test(name) ? `a file is written "./${name}"` : `npm install ${name}`
    throw new PluginError('is not installed here', hint)
  }
}

/** A package that is for `import` alone is found too; the types of Node do not know the option. */
const importConditions = { conditions: new Set(['node', 'import', 'module-sync']) } as object

function unreadable(path: string, code: string): [message: string, hint: string | null] {
  if (code === 'ENOENT') return [`there is no file ${path}`, 'it is looked for from the folder of the configuration on']
  if (code === 'EISDIR') return [`${path} is a directory`, 'name the file in it']
  return [`${path} cannot be read (${code})`, null]
}
