// Who may use a route and how much, as the long form writes it.
import { formatDuration } from '../../util/duration.ts'
import type { RouteConfig } from '../config.ts'
import { formatKey } from '../schema/route/key.ts'
import { formatRate } from '../schema/route/limits.ts'

type Form = Record<string, unknown>

export function accessForm({ allow, deny, cors, basicAuth, forwardAuth }: RouteConfig): Form {
  return {
    ...(allow.length > 0 && { allow }),
    ...(deny.length > 0 && { deny }),
    ...(cors !== null && {
      cors: {
        origins: cors.origins,
        methods: cors.methods,
        headers: cors.headers,
        expose: cors.expose,
        credentials: cors.credentials,
        max_age: formatDuration(cors.maxAgeS * 1000),
      },
    }),
    ...(basicAuth !== null && {
      basic_auth: {
        users: Object.fromEntries(basicAuth.users.map(({ name, hash }) => [name, hash])),
        ...(basicAuth.usersFile !== null && { users_file: basicAuth.usersFile }),
        realm: basicAuth.realm,
        ...(basicAuth.userHeader !== '' && { user_header: basicAuth.userHeader }),
      },
    }),
    ...(forwardAuth !== null && {
      forward_auth: {
        url: forwardAuth.url,
        timeout: formatDuration(forwardAuth.timeoutMs),
        ...(forwardAuth.requestHeaders.length > 0 && { request_headers: forwardAuth.requestHeaders }),
        ...(forwardAuth.copyHeaders.length > 0 && { copy_headers: forwardAuth.copyHeaders }),
      },
    }),
  }
}

export function limitsForm({ rateLimits, concurrency }: RouteConfig): Form {
  return {
    ...(rateLimits.length > 0 && {
      rate_limit: rateLimits.map((limit) => ({
        ...(limit.name !== null && { name: limit.name }),
        key: formatKey(limit.key),
        rate: formatRate(limit),
        burst: limit.burst,
        headers: limit.tell,
      })),
    }),
    ...(concurrency !== null && { concurrency: { key: formatKey(concurrency.key), max: concurrency.max } }),
  }
}
