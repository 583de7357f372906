// Takes the functions out of a configuration written in TypeScript, and leaves references in their places: the rest is
// plain data, which can be checked and sent to threads. Every thread imports the configuration and finds the same functions.
import type { CustomStrategy, Matcher, MatcherFactory, Middleware, MiddlewareFactory } from '../core/plugin.ts'
import { PluginError } from './plugin-error.ts'
import {
  checkMiddleware,
  isMeantAsMiddleware,
  isMiddleware,
  isStrategy,
  type PluginValues,
  readPlugin,
} from './values.ts'

export interface Extracted {
  /** A copy with `@routes[0].use[1]` and the like in place of functions. */
  readonly config: unknown
  /** By those references, and what plug-ins given as objects bring by their names. */
  readonly values: PluginValues
  readonly problems: readonly ExtractProblem[]
}

export interface ExtractProblem {
  /** `routes[0].use[1]` */
  readonly path: string
  readonly message: string
  readonly hint: string | null
}

type Json = Record<string, unknown>

/** Whether anything was taken out. */
export function hasValues({ middleware, strategies, matchers }: PluginValues): boolean {
  return middleware.size + strategies.size + matchers.size > 0
}

/** Looks at the places where a configuration may have functions: `use`, `match.custom`, `strategy` and `plugins`. */
export function extractPlugins(config: unknown): Extracted {
  const extraction = new Extraction()
  return { config: extraction.run(config), values: extraction.values, problems: extraction.problems }
}

class Extraction {
  readonly values = {
    middleware: new Map<string, Middleware | MiddlewareFactory>(),
    strategies: new Map<string, CustomStrategy>(),
    matchers: new Map<string, MatcherFactory>(),
  }
  readonly problems: ExtractProblem[] = []

  run(config: unknown): unknown {
    if (!isRecord(config)) return config
    let copy = this.#change(config, 'plugins', (plugins) => this.#plugins(plugins))
    copy = this.#change(copy, 'routes', (routes) => this.#routes(routes))
    copy = this.#change(copy, 'strategy', (strategy) => this.#strategy(strategy, 'strategy'))
    return this.#change(copy, 'pools', (pools) => this.#pools(pools))
  }

  /** The object with another value at `key`, where it has any. */
  #change(object: Json, key: string, change: (value: unknown) => unknown): Json {
    const value = object[key]
    if (value === undefined) return object
    const changed = change(value)
    return changed === value ? object : { ...object, [key]: changed }
  }

  #plugins(plugins: unknown): unknown {
    if (!Array.isArray(plugins)) return plugins
    return plugins.map((plugin: unknown, index) => {
      if (!isRecord(plugin) && typeof plugin !== 'function') return plugin
      const path = `plugins[${index}]`
      this.#take(path, () => {
        const { middleware, strategies, matchers } = readPlugin(plugin)
        for (const [name, value] of middleware) this.#put(this.values.middleware, 'middleware', name, value)
        for (const [name, value] of strategies) this.#put(this.values.strategies, 'strategy', name, value)
        for (const [name, value] of matchers) this.#put(this.values.matchers, 'matcher', name, value)
      })
      return `@${path}`
    })
  }

  #put<T>(into: Map<string, T>, kind: string, name: string, value: T): void {
    if (into.has(name)) throw new PluginError(`brings the ${kind} ${name}, which another brings too`)
    into.set(name, value)
  }

  #routes(routes: unknown): unknown {
    if (!Array.isArray(routes)) return routes
    return routes.map((route: unknown, index) => {
      if (!isRecord(route)) return route
      const path = `routes[${index}]`
      const copy = this.#change(route, 'use', (use) => this.#use(use, `${path}.use`))
      return this.#change(copy, 'match', (match) => this.#match(match, `${path}.match`))
    })
  }

  #use(use: unknown, path: string): unknown {
    if (!Array.isArray(use)) return this.#step(use, path)
    return use.map((step: unknown, index) => this.#step(step, `${path}[${index}]`))
  }

  #step(step: unknown, path: string): unknown {
    if (typeof step === 'function' || isMiddleware(step) || isMeantAsMiddleware(step)) {
      this.#take(path, () => this.values.middleware.set(`@${path}`, checkMiddleware(step)))
      return `@${path}`
    }
    if (holdsFunction(step)) {
      this.#refuse(path, 'has none of the hooks of middleware, and options cannot hold functions', optionsHint)
      return `@${path}`
    }
    return this.#plain(step, path)
  }

  #match(match: unknown, path: string): unknown {
    if (!isRecord(match)) return match
    return this.#change(match, 'custom', (custom) => {
      const place = `${path}.custom`
      if (typeof custom === 'function') {
        this.values.matchers.set(`@${place}`, () => custom as Matcher)
        return `@${place}`
      }
      if (holdsFunction(custom)) {
        this.#refuse(
          place,
          'the options of a matcher cannot hold functions',
          'write the function itself: (request) => …',
        )
        return `@${place}`
      }
      return this.#plain(custom, place)
    })
  }

  #pools(pools: unknown): unknown {
    if (!isRecord(pools)) return pools
    const changed = Object.entries(pools).map(([name, pool]) => {
      if (!isRecord(pool)) return [name, pool]
      return [name, this.#change(pool, 'strategy', (strategy) => this.#strategy(strategy, `pools.${name}.strategy`))]
    })
    return Object.fromEntries(changed)
  }

  #strategy(strategy: unknown, path: string): unknown {
    if (isStrategy(strategy)) {
      this.values.strategies.set(`@${path}`, strategy as CustomStrategy)
      return `@${path}`
    }
    if (typeof strategy === 'function' || holdsFunction(strategy)) {
      this.#refuse(path, 'is no strategy', 'a strategy is { build({ backends }) { return (request) => backend } }')
      return `@${path}`
    }
    return this.#plain(strategy, path)
  }

  /** The same value, if all threads can be told of it. */
  #plain(value: unknown, path: string): unknown {
    const odd = oddIn(value)
    if (odd === null) return value
    this.#refuse(path, `options are plain data, and cannot hold ${odd}`, 'write what it is made of')
    return `@${path}`
  }

  #take(path: string, take: () => void): void {
    try {
      take()
    } catch (error) {
      if (!(error instanceof PluginError)) throw error
      this.#refuse(path, error.message, error.hint)
    }
  }

  #refuse(path: string, message: string, hint: string | null): void {
    this.problems.push({ path, message, hint })
  }
}

const optionsHint = 'call what makes the middleware yourself: use: [limit({ … })]'
function holdsFunction(value: unknown, seen = new Set<unknown>()): boolean {
  if (typeof value === 'function') return true
  if (typeof value !== 'object' || value === null || seen.has(value)) return false
  seen.add(value)
  return Object.values(value).some((inner) => holdsFunction(inner, seen))
}

/** What of it would not come out of a file, or arrive in another thread, as it is; null = nothing. */
function oddIn(value: unknown, seen = new Set<unknown>()): string | null {
  if (typeof value === 'bigint' || typeof value === 'symbol') return `a ${typeof value}`
  if (typeof value !== 'object' || value === null || seen.has(value)) return null
  seen.add(value)
  if (!Array.isArray(value) && !isPlainObject(value)) return `an object of ${value.constructor?.name || 'a class'}`
  for (const inner of Object.values(value)) {
    const odd = oddIn(inner, seen)
    if (odd !== null) return odd
  }
  return null
}

/** Of any realm: test runners have several. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
