// Which origins a route shares its answers with. Compared as a browser writes them (Fetch standard, serialized origins).

/** Whether an Origin field names one of them. */
export type OriginTest = (origin: string) => boolean

/** Labels of a host name, without empty ones: whatever else could stand before the suffix is no name. */
const LABELS = /^[0-9a-z_-]+(?:\.[0-9a-z_-]+)*$/

/** `https://a.example`, `https://*.example.com` (one or more further labels), `null`. `*` is not for this function. */
export function compileOrigins(origins: readonly string[]): OriginTest {
  const exact = new Set(origins.filter((origin) => !origin.includes('*')).map(normalOrigin))
  const wildcards = origins.filter((origin) => origin.includes('://*.')).map(compileWildcard)
  if (wildcards.length === 0) return (origin) => exact.has(origin)
  return (origin) => exact.has(origin) || wildcards.some((matches) => matches(origin))
}

function compileWildcard(pattern: string): OriginTest {
  const [before = '', after = ''] = normalOrigin(pattern.replace('*', 'x')).split(/(?<=:\/\/)x(?=\.)/)
  return (origin) =>
    origin.length > before.length + after.length &&
    origin.startsWith(before) &&
    origin.endsWith(after) &&
    LABELS.test(origin.slice(before.length, origin.length - after.length))
}

/** Lower case, Punycode, no default port: what a browser sends for it. What is no URL with a host stays as it is. */
function normalOrigin(origin: string): string {
  const url = URL.parse(origin)
  return url === null || url.origin === 'null' ? origin : url.origin
}
