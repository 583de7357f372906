// `frontdesk explain METHOD URL`: which route, pool and backend a running Frontdesk would choose, and why.
import type { Command } from 'commander'
import type { ExplainedCache } from '../../control/explain/cached.ts'
import { callAdmin } from '../admin-client.ts'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { stateColours } from '../backend-table.ts'
import { act, type CliContext } from '../cli-context.ts'
import { CliError, ExitCode } from '../exit-code.ts'
import { age } from '../figures.ts'
import { collectField, parseFields } from '../header-fields.ts'
import { option, shared } from '../options.ts'
import { printable } from '../printable.ts'
import { type Colour, type Terminal, table } from '../terminal.ts'

interface Options extends AdminOptions {
  readonly header?: readonly string[]
  readonly client?: string
  readonly listener?: string
  readonly json?: true
}

/** What POST /explain answers. */
export interface Explanation {
  readonly listener: string
  readonly route: { readonly name: string; readonly match: string; readonly action: string } | null
  readonly considered: readonly { readonly route: string; readonly taken: boolean; readonly why: string }[]
  readonly steps: readonly string[]
  readonly action: string
  readonly pool: string | null
  readonly strategy: string | null
  readonly target: string | null
  readonly sticky: { readonly by: string; readonly bound_to: string | null } | null
  readonly backends: readonly {
    readonly url: string
    readonly state: string
    readonly weight: number
    readonly active: number
    readonly score: number | null
    readonly score_means?: string | null
    readonly would_take: boolean
    readonly why: string
  }[]
  readonly answer: { readonly status: number; readonly why: string } | null
  readonly cache: ExplainedCache | null
}

const examples = `
Nothing is sent and nothing is counted; the answer is about this moment.

Examples:
  frontdesk explain /api/users
  frontdesk explain GET http://example.com/api/users -H 'Cookie: fd_sticky=…'
  frontdesk explain POST https://example.com/ --client 10.1.2.3 --listener webs`

export function defineExplain(program: Command, context: CliContext): void {
  const command = addAdminOptions(
    program
      .command('explain')
      .description('which route, pool and backend a request would take, whether the cache has it, and why'),
  )
  command
    .usage('[options] [method] <url>')
    .argument('<method>', 'such as POST; may be left out: GET')
    .argument('[url]', 'such as http://example.com/api/users, or /api/users')
    .addOption(option('-H, --header <field>', 'a header field, "Name: value" (repeatable)', { parse: collectField }))
    .addOption(option('--client <address>', 'address of the client (default: 127.0.0.1)'))
    .addOption(option('--listener <name>', 'where it comes in (default: the first that could take it)'))
    .addOption(shared.json())
    .addHelpText('after', examples)
  act(context, command, (first: string, second: string | undefined, o: Options) => {
    const [method, url] = second === undefined ? ['GET', first] : [first, second]
    if (second === undefined && !first.includes('/')) {
      throw new CliError(`explain ${printable(first)}: which URL?`, {
        exitCode: ExitCode.usage,
        hint: `frontdesk explain ${printable(first)} /`,
      })
    }
    return explain(method, url, o, context)
  })
}

async function explain(method: string, url: string, o: Options, { terminal }: CliContext): Promise<number> {
  const target = await resolveAdminTarget(o)
  const request = {
    method: method.toUpperCase(),
    url,
    ...(o.header !== undefined && { headers: parseFields(o.header) }),
    client: o.client,
    listener: o.listener,
  }
  const { body } = await callAdmin(target, { method: 'POST', path: '/explain', body: request, expects: 'considered' })
  if (o.json) terminal.out(`${JSON.stringify(body, null, 2)}\n`)
  else terminal.out(explanationText(`${request.method} ${url}`, body as Explanation, terminal))
  return ExitCode.done
}

/** As it is printed. */
export function explanationText(request: string, told: Explanation, { paint }: Pick<Terminal, 'paint'>): string {
  const { route, considered, steps, pool, strategy, target, sticky, answer, backends } = told
  const rows = [
    ['  listener', told.listener, ''],
    route === null ? ['  route', 'none takes it', ''] : ['  route', route.name, `${route.match} → ${route.action}`],
    ...labelled(
      'not',
      considered.filter(({ taken }) => !taken).map(({ route: name, why }) => [name, why]),
    ),
    ...labelled(
      'steps',
      steps.map((step) => [step, '']),
    ),
    ...(pool === null ? [] : [['  pool', pool, strategy ?? '']]),
    ...(target === null ? [] : [['  sent as', target, '']]),
    ...(sticky === null ? [] : [['  sticky', `by ${sticky.by}`, boundWords(sticky.bound_to)]]),
    ...cacheRows(told.cache),
  ].map((row) => row.map(printable))
  const parts = [`${paint('bold', printable(request))}\n\n`, table(rows)]
  if (backends.length > 0) parts.push(`\n${backendRows(told, paint)}`)
  if (answer !== null) {
    const colour = answer.status >= 500 ? 'red' : 'yellow'
    parts.push(`\n  ${paint(colour, `answers ${answer.status}`)}: ${printable(answer.why)}\n`)
  }
  parts.push(`\n${nextWords(told)}\n`)
  return parts.join('')
}

/** The label stands before the first of them only. */
const labelled = (label: string, rows: readonly (readonly [string, string])[]): string[][] =>
  rows.map(([name, words], i) => [i === 0 ? `  ${label}` : '', name, words])

/** What the cache would do, under which key, and what would make it keep more. */
function cacheRows(cache: Explanation['cache']): string[][] {
  if (cache === null) return []
  const { caches, would_hit: hits, why, key, entry, to_make_it_cacheable: advice } = cache
  return [
    ['  cache', hits ? 'hit' : caches ? 'no hit' : 'off', why],
    ...(caches ? [['', 'key', key]] : []),
    ...(entry === null ? [] : [['', 'entry', entryWords(entry)]]),
    ...advice.map((words, i) => ['', i === 0 ? 'to cache it' : '', words]),
  ]
}

function entryWords(entry: NonNullable<NonNullable<Explanation['cache']>['entry']>): string {
  const { status, age_seconds: old, ttl_seconds: ttl, variant } = entry
  const freshness = ttl > 0 ? `fresh for ${age(ttl * 1000)}` : `stale for ${age(-ttl * 1000)}`
  return [String(status), `${age(old * 1000)} old`, freshness, variant].filter((part) => part !== '').join(', ')
}

const boundWords = (url: string | null): string => (url === null ? 'not bound yet' : `bound to ${url}`)

function backendRows({ backends }: Explanation, paint: Terminal['paint']): string {
  const means = backends.find(({ score_means: words }) => words)?.score_means ?? ''
  const head = ['  BACKEND', 'STATE', 'WEIGHT', 'ACTIVE', ...(means === '' ? [] : ['SCORE']), ''].map((cell) =>
    paint('dim', cell),
  )
  const rows = backends.map((one) => {
    const colour: Colour = stateColours[one.state as keyof typeof stateColours] ?? 'dim'
    return [
      one.would_take ? paint('green', `> ${one.url}`) : `  ${one.url}`,
      paint(colour, one.state),
      String(one.weight),
      String(one.active),
      ...(means === '' ? [] : [one.score === null ? '-' : String(Math.round(one.score * 1000) / 1000)]),
      printable(one.why),
    ]
  })
  const right = means === '' ? [2, 3] : [2, 3, 4]
  const legend = means === '' ? '' : `  ${paint('dim', `score: ${printable(means)}`)}\n`
  return table([head, ...rows], right) + legend
}

function nextWords({ route, answer, backends }: Explanation): string {
  if (backends.length > 0 && !backends.some(({ would_take: takes }) => takes)) {
    return 'no backend would take it: "frontdesk status" shows what their checks say'
  }
  if (route === null && answer !== null)
    return '"frontdesk routes" lists the routes in the order in which they are tried'
  return 'try it   frontdesk tail shows what real requests take'
}
