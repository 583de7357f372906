// What plug-ins have brought, by the name that a configuration refers to it by. Filled before a snapshot is applied.
import type { CustomStrategy, MatcherFactory, Middleware, MiddlewareFactory } from '../core/plugin.ts'

/** What a configuration can refer to; lookups throw nothing: undefined = not there. */
export interface PluginRegistry {
  middleware(name: string): Middleware | MiddlewareFactory | undefined
  strategy(name: string): CustomStrategy | undefined
  matcher(name: string): MatcherFactory | undefined
  /** The module that brought it, as the configuration names it, for messages; '' = unknown. */
  sourceOf(kind: PluginKind, name: string): string
}

export type PluginKind = 'middleware' | 'strategy' | 'matcher'

/** Where there are no plug-ins. */
export const noPlugins: PluginRegistry = {
  middleware: () => undefined,
  strategy: () => undefined,
  matcher: () => undefined,
  sourceOf: () => '',
}
