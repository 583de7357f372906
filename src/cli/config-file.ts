// Which configuration file is meant where none is named.
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** In the folder, the first that is there is taken. */
export const configFileNames = [
  'config.json',
  'frontdesk.config.ts',
  'frontdesk.config.mts',
  'frontdesk.config.js',
  'frontdesk.config.mjs',
] as const

/** The file of this folder, or undefined. */
export function findConfigFile(folder = '.'): string | undefined {
  return configFileNames.find((name) => existsSync(join(folder, name)))
}

/** Said where a file was found and not named, and others lie beside it that might be meant; else nothing. */
export function othersBeside(path: string): string[] {
  const others = configFileNames.filter((name) => name !== basename(path) && existsSync(join(dirname(path), name)))
  if (others.length === 0) return []
  const are = others.length === 1 ? 'is' : 'are'
  return [`${path} is taken; ${others.join(', ')} in the same folder ${are} not: name the one you mean with --config`]
}
