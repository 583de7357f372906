// The plug-ins of one thread: imports the modules that a snapshot names, each once, and makes the registry of them.
import type { PluginModuleSpec } from '../core/route-spec.ts'
import { extractPlugins } from './extract.ts'
import { exportOf, importLimitMs, importModule } from './import-module.ts'
import { PluginError } from './plugin-error.ts'
import { noPlugins, type PluginRegistry } from './registry.ts'
import { type LoadedModule, type PluginValues, readPlugin, registryOf } from './values.ts'

export class PluginLoader {
  readonly #limitMs: number
  /** By URL, in the order in which they became known. */
  readonly #known = new Map<string, PluginValues>()

  constructor(limitMs: number = importLimitMs) {
    this.#limitMs = limitMs
  }

  /** These need not be imported: the thread that has read the configuration has them already. */
  know(modules: readonly LoadedModule[]): void {
    for (const { spec, values } of modules) {
      this.#known.delete(spec.url)
      this.#known.set(spec.url, values)
    }
  }

  /** Without importing anything; null where something is not known yet. */
  find(specs: readonly PluginModuleSpec[]): PluginRegistry | null {
    if (specs.length === 0) return noPlugins
    const modules: LoadedModule[] = []
    for (const spec of specs) {
      const values = this.#known.get(spec.url)
      if (values === undefined) return null
      modules.push({ spec, values })
    }
    return registryOf(modules)
  }

  /** Rejects with a PluginError that has the label of its module. */
  async load(specs: readonly PluginModuleSpec[]): Promise<PluginRegistry> {
    for (const spec of specs) {
      if (this.#known.has(spec.url)) continue
      this.know([await this.#loadOne(spec)])
    }
    return this.find(specs)!
  }

  /** These are in force: what was known before them is not needed any more. */
  settle(specs: readonly PluginModuleSpec[]): void {
    const urls = new Set(specs.map(({ url }) => url))
    if (urls.size === 0) return
    for (const url of [...this.#known.keys()]) {
      if (urls.has(url)) return
      this.#known.delete(url)
    }
  }

  async #loadOne(spec: PluginModuleSpec): Promise<LoadedModule> {
    try {
      if (spec.kind === 'inline')
        throw new PluginError('holds functions of the program itself, which no other thread has')
      return { spec, values: await loadValues(spec, this.#limitMs) }
    } catch (error) {
      if (error instanceof PluginError) error.label = spec.label
      throw error
    }
  }
}

/** Imports a module and takes what it brings. @throws PluginError */
export async function loadValues(spec: PluginModuleSpec, limitMs: number = importLimitMs): Promise<PluginValues> {
  const module = await importModule(spec.url, limitMs)
  if (spec.kind === 'plugin') return readPlugin(exportOf(module, 'plugin'))
  const { values, problems } = extractPlugins(exportOf(module, 'config'))
  const [problem] = problems
  if (problem !== undefined) throw new PluginError(`${problem.path} ${problem.message}`, problem.hint)
  return values
}
