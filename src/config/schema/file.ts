// The whole configuration: the long form with its defaults, and what a file may say (long form plus the flat keys).
import { z } from 'zod'
import { admin, adminDefaults } from './admin.ts'
import { cacheStore } from './cache-store.ts'
import { healthDefaults, healthInterval, healthMethod } from './health.ts'
import { listener } from './listener.ts'
import { flatTls } from './listener-tls.ts'
import { backends, pool, poolDefaults, strategy } from './pool.ts'
import { processShape } from './process.ts'
import { cache } from './route/cache.ts'
import { rateLimit } from './route/limits.ts'
import { pluginModule } from './route/plugin-ref.ts'
import { routes } from './route.ts'
import { duration, name, port, requestPath } from './scalars.ts'
import { sticky } from './sticky.ts'

const longShape = {
  listeners: z
    .array(listener)
    .max(64, { error: 'has more than 64 listeners' })
    .default([])
    .meta({ description: 'Addresses to listen on. A file with `listeners` and no `port` opens only these.' }),
  pools: z
    .record(name, pool, { error: 'an object of pools by name' })
    .default({})
    .meta({ description: 'Named groups of backends.' }),
  admin: admin.nullable().default(null).meta({
    description: 'The admin API; null = none. Without it: on `admin_port` where the flat form is used, else none.',
  }),
  routes: routes
    .default([])
    .meta({ description: 'What becomes of requests; which of them takes one does not depend on their order.' }),
  rate_limit: rateLimit.optional().meta({
    description: 'Of requests that no written route takes: those that listeners pass to their pools by themselves.',
  }),
  cache: cache.optional().meta({
    description:
      'Answers are stored and served again: of every route that does not say otherwise, and of requests that no written route takes.',
  }),
  cache_store: cacheStore.optional().meta({ description: 'Where they are stored; one for the whole process.' }),
  plugins: z
    .array(pluginModule)
    .max(64, { error: 'has more than 64 modules' })
    .default([])
    .meta({ description: 'Modules with middleware, strategies and matchers: files, or names of packages.' }),
  ...processShape,
}

/** The expanded form: every flat key has gone to its place in `listeners`, `pools` or `admin`. */
export const longForm = z.strictObject(longShape)
export type LongForm = z.output<typeof longForm>

export const flatDefaults = { port: 8080 } as const
const flat = (text: string, place: string) => `${text} Short for \`${place}\`.`

/** The flat keys: sugar for the listeners `default` and `default-tls`, pool `default`, and the admin address. */
export const flatShape = {
  port: port.optional().meta({
    flatDefault: flatDefaults.port,
    description: flat('Port of the proxy, on all interfaces.', 'listeners[default].listen'),
  }),
  admin_port: port.optional().meta({
    flatDefault: adminDefaults.port,
    description: flat('Port of the admin API, on 127.0.0.1; not the same as `port`.', 'admin.listen'),
  }),
  strategy: strategy.optional().meta({
    flatDefault: poolDefaults.strategy,
    description: flat('How a backend is chosen.', 'pools.default.strategy'),
  }),
  health_check_frequency: healthInterval.optional().meta({
    flatDefault: healthDefaults.interval,
    description: flat('Time between two health checks of a backend.', 'pools.default.health_check.interval'),
  }),
  health_check_method: healthMethod.optional().meta({
    flatDefault: healthDefaults.method,
    description: flat('How backends are checked.', 'pools.default.health_check.method'),
  }),
  health_check_path: requestPath.optional().meta({
    flatDefault: healthDefaults.path,
    description: flat('What an HTTP check asks for.', 'pools.default.health_check.path'),
  }),
  backend_timeout: duration()
    .optional()
    .meta({
      flatDefault: poolDefaults.firstByte,
      description: flat('How long a backend may take to begin its answer.', 'pools.default.timeouts.first_byte'),
    }),
  backends: backends.optional().meta({ description: flat('The servers: URLs, or objects.', 'pools.default.backends') }),
  sticky: sticky
    .nullable()
    .optional()
    .meta({ description: flat('Keeps a client at one backend; null = off.', 'pools.default.sticky') }),
  tls: flatTls
    .optional()
    .meta({ description: flat('TLS on a second port, for the same pool.', 'listeners[default-tls]') }),
}

/** What a file may say. */
export const fileForm = z.strictObject({ ...flatShape, ...longShape })
