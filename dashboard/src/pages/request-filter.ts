// The filters of live requests: as the API takes them, and over what is on the page already.
import type { CacheResult, RequestView } from '../api/types.ts'

export interface Filters {
  readonly path: string
  readonly status: string
  readonly method: string
  readonly backend: string
  readonly min_ms: string
  /** A result of the cache; '' = any, also none. */
  readonly cache: CacheResult | ''
  readonly errors: boolean
}

export const noFilter: Filters = {
  path: '',
  status: '',
  method: '',
  backend: '',
  min_ms: '',
  cache: '',
  errors: false,
}

/** The filters as the API takes them. */
export function queryOf(filters: Filters): Record<string, string> {
  const texts = Object.entries(filters).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string' && pair[1].trim() !== '',
  )
  return {
    ...Object.fromEntries(texts.map(([name, text]) => [name, text.trim()])),
    ...(filters.errors && { errors: '1' }),
  }
}

/** Whether a request that is here already would be told under these filters; what only the API can judge lets it stay. */
export function matches(
  request: RequestView,
  { path, status, method, backend, min_ms: least, cache, errors }: Filters,
): boolean {
  const { target, status: code = 0, method: verb, backend: url, failures } = request
  if (!(target ?? '').startsWith(path.trim())) return false
  if (status.trim() !== '' && !status.split(',').some((one) => isWithin(code, one.trim()))) return false
  if (method.trim() !== '' && verb !== method.trim().toUpperCase()) return false
  const wanted = backend.trim().replace(/\/$/, '')
  if (wanted !== '' && url !== wanted && failures?.some((tried) => tried.backend === wanted) !== true) return false
  if (request.duration_ms < Number(least)) return false
  if (cache !== '' && request.cache !== cache) return false
  return !errors || request.error !== '' || code >= 500
}

/** `404`, `5xx`, `400-499`; whatever else it is, the API says what is wrong with it. */
function isWithin(code: number, range: string): boolean {
  const [, from, to = from] = /^(\d\d\d|[1-5]xx)(?:-(\d\d\d))?$/i.exec(range) ?? []
  if (from === undefined || to === undefined) return true
  return code >= Number(from.replaceAll(/x/gi, '0')) && code <= Number(to.replaceAll(/x/gi, '9'))
}
