// What a module brings, checked and by name; and the registry that many of them make together.
import type { CustomStrategy, MatcherFactory, Middleware, MiddlewareFactory, Plugin } from '../core/plugin.ts'
import type { PluginModuleSpec } from '../core/route-spec.ts'
import { closest } from '../util/edit-distance.ts'
import { PluginError } from './plugin-error.ts'
import type { PluginKind, PluginRegistry } from './registry.ts'
import { isStrayPromise } from './stray-promise.ts'

/** By the names that a configuration uses. */
export interface PluginValues {
  readonly middleware: ReadonlyMap<string, Middleware | MiddlewareFactory>
  readonly strategies: ReadonlyMap<string, CustomStrategy>
  readonly matchers: ReadonlyMap<string, MatcherFactory>
}

/** A module with what it has brought. */
export interface LoadedModule {
  readonly spec: PluginModuleSpec
  readonly values: PluginValues
}

const hooks = ['onRequest', 'onBackendRequest', 'onResponse', 'onFinish'] as const
const kinds = ['middleware', 'strategies', 'matchers'] as const
/** As the schema of the configuration takes them; `@` is for functions that stand in the configuration itself. */
const namePattern = /^[A-Za-z0-9][\w@./:[\]-]{0,255}$/

/** Whether it has any of the hooks. */
export function isMiddleware(value: unknown): value is Middleware {
  return isObject(value) && hooks.some((hook) => typeof value[hook] === 'function')
}

/** Whether somebody who wrote this meant middleware: it has a hook that is none, or a function under a name near to one. */
export function isMeantAsMiddleware(value: unknown): boolean {
  if (!isObject(value)) return false
  return Object.entries(value).some(([key, part]) =>
    typeof part === 'function'
      ? closest(key, hooks) !== null
      : part !== undefined && hooks.some((hook) => hook === key),
  )
}

export function isStrategy(value: unknown): value is CustomStrategy {
  return isObject(value) && typeof value.build === 'function'
}

/** The parts of a plug-in. @throws PluginError saying what of it is none. */
export function readPlugin(plugin: unknown): PluginValues {
  if (!isObject(plugin) || isStrayPromise(plugin))
    throw new PluginError(`is ${article(plugin)}, and no plug-in: { middleware, strategies, matchers }`)
  for (const key of Object.keys(plugin)) {
    if ((kinds as readonly string[]).includes(key) || key === 'name') continue
    const guess = closest(key, kinds)
    throw new PluginError(`has a part ${key}, which plug-ins do not have`, guess && `did you mean ${guess}?`)
  }
  const { middleware = {}, strategies = {}, matchers = {} } = plugin as Plugin
  const values: PluginValues = {
    middleware: entriesOf('middleware', middleware, checkMiddleware),
    strategies: entriesOf('strategies', strategies, checkStrategy),
    matchers: entriesOf('matchers', matchers, checkMatcher),
  }
  if (kinds.every((kind) => values[kind].size === 0)) {
    throw new PluginError('brings nothing', 'a plug-in is { middleware, strategies, matchers }, each an object by name')
  }
  return values
}

function entriesOf<T>(part: string, given: unknown, check: (value: unknown) => T): Map<string, T> {
  if (!isObject(given)) throw new PluginError(`${part} is ${article(given)}, and no object by name`)
  const found = new Map<string, T>()
  for (const [name, value] of Object.entries(given)) {
    if (!namePattern.test(name)) throw new PluginError(`${part}: ${JSON.stringify(name)} cannot be a name`)
    try {
      found.set(name, check(value))
    } catch (error) {
      if (!(error instanceof PluginError)) throw error
      throw new PluginError(`${part}.${name} ${error.message}`, error.hint)
    }
  }
  return found
}

/** The same value, if it is middleware or makes some. */
export function checkMiddleware(value: unknown): Middleware | MiddlewareFactory {
  if (typeof value === 'function') return value as MiddlewareFactory
  return checkMade(value)
}

/** The same value, if it is middleware. @throws PluginError */
export function checkMade(value: unknown): Middleware {
  if (!isObject(value)) throw new PluginError(`is ${article(value)}, and no middleware`, middlewareHint)
  for (const hook of hooks) {
    if (value[hook] !== undefined && typeof value[hook] !== 'function') {
      throw new PluginError(`has ${article(value[hook])} for ${hook}, which must be a function`)
    }
  }
  const limit = value.timeoutMs
  if (limit !== undefined && !(typeof limit === 'number' && limit > 0)) {
    throw new PluginError('has a timeoutMs that is no number of milliseconds above 0')
  }
  if (!isMiddleware(value)) {
    if (isStrayPromise(value)) throw new PluginError('is a promise, and no middleware', 'make it without awaiting')
    const guess = Object.keys(value).flatMap((key) => closest(key, hooks) ?? [])[0]
    throw new PluginError('has none of the hooks', guess === undefined ? middlewareHint : `did you mean ${guess}?`)
  }
  return value
}

export function checkStrategy(value: unknown): CustomStrategy {
  if (isStrategy(value)) return value as CustomStrategy
  throw new PluginError(
    `is ${article(value)}, and no strategy`,
    'a strategy is { build({ backends }) { return (request) => backend } }',
  )
}

export function checkMatcher(value: unknown): MatcherFactory {
  if (typeof value === 'function') return value as MatcherFactory
  throw new PluginError(`is ${article(value)}, and no matcher`, 'it is (options) => (request) => true or false')
}

const middlewareHint = `middleware is an object with ${hooks.slice(0, -1).join(', ')} or ${hooks.at(-1)}, or a function that makes one out of options`

/** All of them together. @throws PluginError where two bring the same name. */
export function registryOf(modules: readonly LoadedModule[]): PluginRegistry {
  const middleware = merged(modules, 'middleware', (values) => values.middleware)
  const strategies = merged(modules, 'strategy', (values) => values.strategies)
  const matchers = merged(modules, 'matcher', (values) => values.matchers)
  const byKind = { middleware, strategy: strategies, matcher: matchers }
  return {
    middleware: (name) => middleware.get(name)?.value,
    strategy: (name) => strategies.get(name)?.value,
    matcher: (name) => matchers.get(name)?.value,
    sourceOf: (kind, name) => byKind[kind].get(name)?.label ?? '',
  }
}

/** Names of one kind, for suggestions. */
export function namesOf(modules: readonly LoadedModule[], kind: PluginKind): string[] {
  const part = kind === 'middleware' ? 'middleware' : kind === 'strategy' ? 'strategies' : 'matchers'
  return modules.flatMap(({ values }) => [...values[part].keys()]).filter((name) => !name.startsWith('@'))
}

function merged<T>(
  modules: readonly LoadedModule[],
  kind: PluginKind,
  of: (values: PluginValues) => ReadonlyMap<string, T>,
): Map<string, { value: T; label: string }> {
  const all = new Map<string, { value: T; label: string }>()
  for (const { spec, values } of modules) {
    for (const [name, value] of of(values)) {
      const other = all.get(name)
      if (other !== undefined) {
        const from = other.label === spec.label ? `${spec.label} twice` : `both ${other.label} and ${spec.label}`
        throw new PluginError(`the ${kind} ${name} comes from ${from}`, 'names are unique over all plug-ins')
      }
      all.set(name, { value, label: spec.label })
    }
  }
  return all
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What kind of thing it is, for messages. */
export function article(value: unknown): string {
  if (isStrayPromise(value)) return 'a promise'
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
