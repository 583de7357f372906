// Says to the compiler what a module brings; at run time it gives back what it was given.
import type { CustomStrategy, MatcherFactory, Middleware, MiddlewareFactory, Plugin } from '../core/plugin.ts'

/** A plug-in, checked by the compiler: `export default definePlugin({ middleware: { … } })`. */
export function definePlugin<const P extends Plugin>(plugin: P): P {
  return plugin
}

/** Middleware, with the types of its hooks. */
export function defineMiddleware<M extends Middleware>(middleware: M): M
/** What makes middleware out of options, with the types of its hooks. */
export function defineMiddleware<O>(factory: MiddlewareFactory<O>): MiddlewareFactory<O>
export function defineMiddleware(given: unknown): unknown {
  return given
}

/** A strategy; name the type of its options where it has any. */
export function defineStrategy<O = unknown>(strategy: CustomStrategy<O>): CustomStrategy<O> {
  return strategy
}

/** What makes a matcher out of options. */
export function defineMatcher<O = unknown>(factory: MatcherFactory<O>): MatcherFactory<O> {
  return factory
}
