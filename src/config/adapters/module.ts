// A configuration written in TypeScript or JavaScript: imports it, and takes its functions out of it.
import { resolve } from 'node:path'
import { type Extracted, extractPlugins, hasValues } from '../../plugins/extract.ts'
import { exportOf, importModule } from '../../plugins/import-module.ts'
import { PluginError } from '../../plugins/plugin-error.ts'
import { versionedUrl } from '../../plugins/resolve-module.ts'
import type { LoadedModule } from '../../plugins/values.ts'
import { ConfigError, type Problem } from '../problem.ts'
import { readText } from '../read-source.ts'

export interface ModuleConfig {
  /** Plain data, with references in place of functions. */
  readonly value: object
  /** What every worker imports for its functions; null = it has none. */
  readonly module: LoadedModule | null
  /** What stands where functions may stand, and cannot. */
  readonly problems: readonly Problem[]
}

/** Whether a configuration file of that name is a module. */
export const isModule = (path: string): boolean => /\.[cm]?[jt]s$/i.test(path)

/** `limitMs`: for the import. @throws ConfigError when it cannot be imported, or exports no configuration. */
export async function readModule(path: string, limitMs?: number): Promise<ModuleConfig> {
  // For the words about a file that is not there or may not be read.
  readText(path)
  const file = resolve(path)
  const given = await importConfig(file, path, limitMs)
  const { url, config } = given
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    const message = config === undefined ? 'has no default export' : 'the default export is no configuration'
    throw new ConfigError([problemOf(path, message, 'export default defineConfig({ … })')])
  }
  return taken(config, { kind: 'configuration', url, label: path }, path)
}

/** A configuration that a program holds: its functions stay in the thread that they were made in. */
export function readObject(config: object, url: string): ModuleConfig {
  return taken(config, { kind: 'inline', url, label: 'configuration' }, 'configuration')
}

function taken(config: object, spec: LoadedModule['spec'], file: string): ModuleConfig {
  const { config: value, values, problems } = extractPlugins(config) as Extracted & { config: object }
  return {
    value,
    module: hasValues(values) ? { spec, values } : null,
    problems: problems.map(({ path, message, hint }) => ({ ...problemOf(file, message, hint), path })),
  }
}

async function importConfig(file: string, path: string, limitMs?: number): Promise<{ url: string; config: unknown }> {
  try {
    const url = versionedUrl(file)
    return { url, config: exportOf(await importModule(url, limitMs), 'config') }
  } catch (error) {
    if (!(error instanceof PluginError)) throw error
    const { place, message, hint } = error
    const problem = problemOf(path, message, hint)
    if (place === null) throw new ConfigError([problem])
    throw new ConfigError([
      {
        ...problem,
        file: place.file === file ? path : place.file,
        line: place.line,
        column: Math.max(1, place.column),
      },
    ])
  }
}

function problemOf(file: string, message: string, hint: string | null): Problem {
  return { file, line: 0, column: 0, path: '', message, hint, value: undefined }
}
