// What a route takes and what it does with it, in plain words: for `check`, the admin API and `explain`.
import type { MatchSpec, MirrorSpec, RouteSpec, TemplateSpec, ValueCondition } from '../core/route-spec.ts'
import { isSecretField, isSecretName, redactedText } from '../util/secret-names.ts'

/** What is shown of a list. */
const shownOfList = 3

/** Host and path: `example.com /api/*`. */
export function placeWords({ hosts, paths, pathRegex }: MatchSpec): string {
  const path = pathRegex !== null ? `~ ${pathRegex}` : paths.length === 0 ? '/*' : short(paths)
  return hosts.length === 0 ? path : `${short(hosts)} ${path}`
}

/** Everything else that must hold: `GET POST, header x-canary: 1`; '' = nothing. */
export function conditionWords(match: MatchSpec): string {
  const lists: readonly (readonly [what: string, values: readonly string[]])[] = [
    ['', match.methods],
    ['client ', match.clients],
    ['listener ', match.listeners],
    ['server name ', match.serverNames],
  ]
  return [
    ...lists.flatMap(([what, values]) => (values.length === 0 ? [] : [`${what}${short(values)}`])),
    ...match.headers.map((one) => valueWords('header', one, isSecretField)),
    ...match.query.map((one) => valueWords('query', one, isSecretName)),
    ...(match.custom === null ? [] : [`custom ${match.custom.name}`]),
  ].join(', ')
}

/** Both. */
export function matchWords(match: MatchSpec): string {
  const conditions = conditionWords(match)
  return conditions === '' ? placeWords(match) : `${placeWords(match)}, ${conditions}`
}

/** An action as a configuration has it, or compiled. */
type Action =
  | Extract<RouteSpec['action'], { readonly kind: 'pool' }>
  | { readonly kind: 'split'; readonly targets: readonly { readonly pool: string; readonly weight: number }[] }
  | { readonly kind: 'redirect'; readonly status: number; readonly to: string | TemplateSpec }
  | { readonly kind: 'respond'; readonly status: number }

/** `pool api`, `api (95), next (5), copies to shadow`, `308 /new/{path}`, `403`. */
export function actionWords(action: Action, mirror: Pick<MirrorSpec, 'pool'> | null): string {
  const copies = mirror === null ? '' : `, copies to ${mirror.pool}`
  switch (action.kind) {
    case 'pool':
      return `pool ${action.pool}${copies}`
    case 'split':
      return `${action.targets.map(({ pool, weight }) => `${pool} (${weight})`).join(', ')}${copies}`
    case 'redirect':
      return `${action.status} ${typeof action.to === 'string' ? action.to : templateText(action.to)}`
    case 'respond':
      return String(action.status)
  }
}

/** A text as it was written, but for the form of its braces. */
export function templateText(template: TemplateSpec): string {
  const bytes = template.map((part) => (typeof part === 'string' ? part : `{${part.name}}`)).join('')
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

function valueWords(what: string, { name, values }: ValueCondition, isSecret: (name: string) => boolean): string {
  if (values.length === 0) return `${what} ${name}`
  return `${what} ${name}: ${isSecret(name) ? redactedText : short(values)}`
}

function short(list: readonly string[]): string {
  const shown = list.slice(0, shownOfList).join(' ')
  return list.length > shownOfList ? `${shown} +${list.length - shownOfList}` : shown
}
