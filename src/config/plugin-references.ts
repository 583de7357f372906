// What a configuration wants of plug-ins, tried out once in the main thread: is it there, and does it take its options?
import type { CustomStrategy, Matcher, MatcherFactory, MiddlewareFactory, StrategyBackend } from '../core/plugin.ts'
import type { PluginRef } from '../core/route-spec.ts'
import { messageOf } from '../plugins/describe-thrown.ts'
import { PluginError } from '../plugins/plugin-error.ts'
import type { PluginKind, PluginRegistry } from '../plugins/registry.ts'
import { article, checkMade, type LoadedModule, namesOf } from '../plugins/values.ts'
import { closest } from '../util/edit-distance.ts'
import type { Config, PoolConfig } from './config.ts'

export interface ReferenceProblem {
  readonly path: string
  readonly message: string
  readonly hint: string | null
}

/** Every reference that leads nowhere, or whose options are refused. With `calls`, what makes middleware and matchers is called. */
export function checkReferences(
  config: Config,
  registry: PluginRegistry,
  modules: readonly LoadedModule[],
  { calls = true }: { readonly calls?: boolean } = {},
): ReferenceProblem[] {
  const problems: ReferenceProblem[] = []
  const look = <T>(at: Place, find: (name: string) => T | undefined, tryOut: (found: T, options: unknown) => void) => {
    const { kind, ref, path } = at
    const found = find(ref.name)
    if (found === undefined) {
      problems.push(missing(at, modules))
      return
    }
    try {
      if (calls) tryOut(found, ref.options)
    } catch (error) {
      const source = registry.sourceOf(kind, ref.name)
      const name = ref.name.startsWith('@') ? `the ${kind}` : `the ${kind} ${ref.name}`
      const whose = source === '' || ref.name.startsWith('@') ? name : `${name} of ${source}`
      const words = error instanceof PluginError ? error.message : `could not be made: ${messageOf(error)}`
      problems.push({ path, message: `${whose} ${words}`, hint: error instanceof PluginError ? error.hint : null })
    }
  }
  for (const [index, { use, match }] of config.routes.entries()) {
    for (const [step, ref] of use.entries()) {
      const at: Place = { kind: 'middleware', ref, path: `routes[${index}].use[${step}]` }
      look(at, (name) => registry.middleware(name), tryMiddleware)
    }
    if (match.custom === null) continue
    const at: Place = { kind: 'matcher', ref: match.custom, path: `routes[${index}].match.custom` }
    look(at, (name) => registry.matcher(name), tryMatcher)
  }
  for (const [name, pool] of Object.entries(config.pools)) {
    if (pool.customStrategy === null) continue
    const at: Place = { kind: 'strategy', ref: pool.customStrategy, path: `pools.${name}.strategy` }
    look(
      at,
      (wanted) => registry.strategy(wanted),
      (found, options) => tryStrategy(found, options, pool),
    )
  }
  return problems
}

interface Place {
  readonly kind: PluginKind
  readonly ref: PluginRef
  readonly path: string
}

function missing({ kind, ref, path }: Place, modules: readonly LoadedModule[]): ReferenceProblem {
  if (ref.name.startsWith('@')) {
    const message = `${ref.name} stands for a function of a TypeScript configuration, and there is none`
    return { path, message, hint: 'names of your own do not begin with @' }
  }
  const names = namesOf(modules, kind)
  const guess = closest(ref.name, names)
  const known = names.length === 0 ? 'name the module that brings it in "plugins"' : `there is ${names.join(', ')}`
  return {
    path,
    message: `no plug-in brings a ${kind} ${ref.name}`,
    hint: guess === null ? known : `did you mean ${guess}?`,
  }
}

type Made = ReturnType<PluginRegistry['middleware']>

function tryMiddleware(found: NonNullable<Made>, options: unknown): void {
  if (typeof found === 'function') {
    checkMade((found as MiddlewareFactory)(options))
    return
  }
  if (hasEntries(options))
    throw new PluginError('takes no options', 'it is middleware, and no function that makes some')
}

function tryMatcher(found: MatcherFactory, options: unknown): void {
  const matcher: Matcher | unknown = found(options)
  if (typeof matcher === 'function') return
  throw new PluginError(
    `gave ${article(matcher)} for its options, and no function`,
    '(options) => (request) => true or false',
  )
}

function tryStrategy(found: CustomStrategy, options: unknown, { backends }: PoolConfig): void {
  let ticket = 0
  const shown = backends.map(
    ({ url, weight, maxConnections, backup }): StrategyBackend =>
      Object.freeze({ url, weight, maxConnections, backup, available: weight > 0, active: 0, latencyMs: 0 }),
  )
  const choose: unknown = found.build({ backends: shown, options, state: { ticket: () => ticket++ } })
  if (typeof choose === 'function') return
  throw new PluginError(`has a build that gave ${article(choose)}`, 'build gives the function that chooses a backend')
}

function hasEntries(options: unknown): boolean {
  return typeof options === 'object' && options !== null && Object.keys(options).length > 0
}
