// What a proxy does for the front `routes`, the same for all of them.

/** Each has a route of its own. */
export const services: readonly string[] = Array.from({ length: 100 }, (_, index) => `service-${index}`)

/** The one that is asked. */
export const service = services[57]!

/** Requests a second and client, more than any of them gets: all are counted, none is refused. */
export const rateLimit = 1_000_000
