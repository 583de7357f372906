// Imports a module of somebody else's, within a time limit, and says in words what went wrong.

import { placeOfError } from './code-place.ts'
import { messageOf } from './describe-thrown.ts'
import { PluginError } from './plugin-error.ts'
import { commonJsError, readAsCommonJs } from './read-as-commonjs.ts'

/** From the first line of a module to the last; awaiting at its top level counts. */
export const importLimitMs = 10_000

/** What it exports. @throws PluginError */
export async function importModule(url: string, limitMs: number = importLimitMs): Promise<Record<string, unknown>> {
  const unfit = await readAsCommonJs(url)
  if (unfit !== null) throw unfit
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const message = `is not loaded after ${limitMs / 1000} s`
    const hint = 'something that it awaits at its top level does not come to an end'
    // Nothing else may keep the process alive meanwhile, so this timer must.
    timer = setTimeout(() => reject(new PluginError(message, hint)), limitMs)
  })
  try {
    return await Promise.race([import(url) as Promise<Record<string, unknown>>, late])
  } catch (error) {
    if (error instanceof PluginError) throw error
    const { message, hint } = wordsOf(error)
    const place = await placeOfError(error, url)
    throw commonJsError(error, place) ?? new PluginError(message, hint, place)
  } finally {
    clearTimeout(timer)
  }
}

function wordsOf(error: unknown): { message: string; hint: string | null } {
  // Of anything else that was thrown nothing is believed.
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  const message = messageOf(error).replace(/file:\/\/(\/[^\s'"?]+)(?:\?[^\s'"]*)?/g, '$1')
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return {
      message,
      hint: 'types are taken out and nothing is compiled: write it without enums, namespaces and parameter properties',
    }
  }
  if (code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') {
    return {
      message: 'a package in node_modules is TypeScript, which Node does not run there',
      hint: 'publish it as JavaScript',
    }
  }
  if (error instanceof SyntaxError) return { message: `broken code: ${message}`, hint: null }
  if (code === 'ERR_MODULE_NOT_FOUND')
    return { message, hint: 'imports of files name their ending, packages must be installed' }
  return { message: `failed while it was loaded: ${message}`, hint: null }
}

/** The value that a module stands for: its default export, also where CommonJS has wrapped it, or the export of that name. */
export function exportOf(module: Record<string, unknown>, name: string): unknown {
  const { default: given } = module
  if (given === undefined) return module[name]
  const wrapped = given as { __esModule?: unknown; default?: unknown } | null
  return wrapped?.__esModule === true && wrapped.default !== undefined ? wrapped.default : given
}
