// Loads a configuration with what it takes from TypeScript: the file may be a module, and may name modules of plug-ins.
// Everything is imported here first, so that a worker is asked for nothing that cannot be had.
import { randomUUID } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PluginModuleSpec } from '../core/route-spec.ts'
import { PluginError } from '../plugins/plugin-error.ts'
import { loadValues } from '../plugins/plugin-loader.ts'
import { resolveModule } from '../plugins/resolve-module.ts'
import { type LoadedModule, registryOf } from '../plugins/values.ts'
import { isModule, type ModuleConfig, readModule, readObject } from './adapters/module.ts'
import type { Config } from './config.ts'
import { inPlaceOf, type LoadedConfig, type LoadOptions, loadConfig } from './load.ts'
import { notInUse } from './named-files.ts'
import { checkReferences, type ReferenceProblem } from './plugin-references.ts'
import { ConfigError, type Problem, sortProblems } from './problem.ts'

export interface PluginLoadOptions extends LoadOptions {
  /** For the import of one module; default 10 s. */
  readonly importLimitMs?: number | undefined
}

/** As `loadConfig`, plug-ins included; rejects with `ConfigError` with every problem. */
export async function loadWithPlugins(options: PluginLoadOptions): Promise<LoadedConfig> {
  return complete(options, await readOwn(options))
}

async function complete(options: PluginLoadOptions, own: ModuleConfig | null): Promise<LoadedConfig> {
  const { inUse } = options
  const loaded = loadRest(options, own)
  const modules = [...(own?.module ? [own.module] : []), ...(await importAll(loaded, options))]
  const config: Config = { ...loaded.config, plugins: modules.map(({ spec }) => spec) }
  refuse(loaded, inlineProblems(config, own))
  refuse(loaded, referenceProblems(config, modules, inUse === undefined))
  return {
    ...loaded,
    config,
    plugins: modules,
    files: [...loaded.files, ...modules.flatMap(({ spec }) => fileOf(spec))],
    withChanges: (changes, inUse) => complete({ ...options, text: loaded.text ?? undefined, changes, inUse }, own),
    // What stands for a function in it is one of the module's.
    withDocument: (document, inUse) =>
      complete({ ...inPlaceOf(options, document), inUse }, own && { ...own, value: document, problems: [] }),
  }
}

/** Modules of plug-ins are a part of the configuration as well; what they import themselves is not looked at. */
function fileOf({ kind, url }: LoadedModule['spec']): string[] {
  if (kind !== 'plugin' || !url.startsWith('file:')) return []
  const { pathname, protocol } = new URL(url)
  return [fileURLToPath(`${protocol}//${pathname}`)]
}

/** The configuration where it is no text; null = it is one, or there is none. */
async function readOwn({ value, path, text, importLimitMs }: PluginLoadOptions): Promise<ModuleConfig | null> {
  if (value !== undefined) return readObject(value, `inline:${randomUUID()}`)
  if (path === undefined || text !== undefined || !isModule(path)) return null
  return readModule(path, importLimitMs)
}

function loadRest(options: PluginLoadOptions, own: ModuleConfig | null): LoadedConfig {
  if (own === null) return loadConfig(options)
  if (own.problems.length === 0) return loadConfig({ ...options, value: own.value })
  const problems = [...own.problems]
  try {
    loadConfig({ ...options, value: own.value })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.push(...error.problems)
  }
  throw new ConfigError(sortProblems(problems))
}

/** One after another: what they print comes in the order in which they are named. */
async function importAll(loaded: LoadedConfig, options: PluginLoadOptions): Promise<LoadedModule[]> {
  const { importLimitMs, inUse } = options
  const folder = loaded.path === null ? process.cwd() : dirname(resolve(loaded.path))
  const modules: LoadedModule[] = []
  const problems: ReferenceProblem[] = []
  for (const [index, { label }] of loaded.config.plugins.entries()) {
    // What stands for a plug-in that was given as an object.
    if (label.startsWith('@')) continue
    try {
      if (inUse?.modules.has(label) === false) throw new PluginError(notInUse)
      const spec: PluginModuleSpec = { kind: 'plugin', url: resolveModule(label, folder), label }
      modules.push({ spec, values: await loadValues(spec, importLimitMs) })
    } catch (error) {
      if (!(error instanceof PluginError)) throw error
      const { place, hint } = error
      const words = place === null ? error.message : new PluginError(error.message, null, place).words
      problems.push({ path: `plugins[${index}]`, message: `${label} cannot be used: ${words}`, hint })
    }
  }
  refuse(loaded, problems)
  return modules
}

function inlineProblems({ workers }: Config, own: ModuleConfig | null): ReferenceProblem[] {
  if (workers === 0 || own?.module?.spec.kind !== 'inline') return []
  return [
    {
      path: 'workers',
      message: 'functions that are written into the configuration cannot be given to worker threads',
      hint: 'set workers to 0, or put them into a module of their own and name it: plugins: ["./my-plugin.ts"]',
    },
  ]
}

function referenceProblems(config: Config, modules: readonly LoadedModule[], calls: boolean): ReferenceProblem[] {
  try {
    return checkReferences(config, registryOf(modules), modules, { calls })
  } catch (error) {
    if (!(error instanceof PluginError)) throw error
    return [{ path: 'plugins', message: error.message, hint: error.hint }]
  }
}

/** Throws, if there are any, all of them with their places. */
function refuse(loaded: LoadedConfig, found: readonly ReferenceProblem[]): void {
  if (found.length === 0) return
  const file = loaded.path ?? 'configuration'
  const problems = found.map((one): Problem => ({ file, line: 0, column: 0, value: undefined, ...one }))
  const located = loaded.locate(new ConfigError(problems)) as ConfigError
  throw new ConfigError(sortProblems(located.problems))
}
