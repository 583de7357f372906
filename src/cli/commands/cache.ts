// `frontdesk cache …`: what a running Frontdesk has cached, and throwing some of it out.
import { type Command, Option } from 'commander'
import type { CacheStats, PurgedCache } from '../../control/cache/cache.ts'
import { callAdmin } from '../admin-client.ts'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { cacheText } from '../cache-text.ts'
import { act, type CliContext } from '../cli-context.ts'
import { CliError, ExitCode } from '../exit-code.ts'
import { collect, parseWholeNumber, shared } from '../options.ts'

interface StatsOptions extends AdminOptions {
  readonly json?: true
  readonly prefix?: string
  readonly limit?: number
}

interface PurgeOptions extends AdminOptions {
  readonly json?: true
  readonly prefix?: string
  readonly tag?: readonly string[]
  readonly all?: true
  readonly soft?: true
}

const examples = `
Examples:
  frontdesk cache stats
  frontdesk cache stats --prefix http://example.com/static/ --limit 50
  frontdesk cache purge http://example.com/a               one URL, all its variants
  frontdesk cache purge '*://example.com/a'                for http and https
  frontdesk cache purge --prefix http://example.com/static/
  frontdesk cache purge --tag product-7 --soft             asked for again before it is used
  frontdesk cache purge --all`

const whenDone = `
It is purged for all workers, in memory and on disk, when the command returns. What a route does not count as
part of the key ("cache.key") may be in the URL or not. A soft purge only marks entries stale: they are asked for again
before they are used, and still serve where the backends are down.
`

export function defineCache(program: Command, context: CliContext): void {
  const group = program.command('cache').description('look at the cache of a running Frontdesk, and purge it')
  group.addHelpText('after', examples)
  defineStats(group, context)
  definePurge(group, context)
}

function defineStats(group: Command, context: CliContext): void {
  const command = addAdminOptions(group.command('stats').description('how full it is, how often it serves, and what'))
    .addOption(new Option('--prefix <url>', 'list only entries whose URL begins so'))
    .addOption(new Option('--limit <n>', 'list so many entries (default: 20)').argParser(parseWholeNumber))
    .addOption(shared.json())
  act(context, command, async (o: StatsOptions) => {
    const asked = new URLSearchParams({
      ...(o.prefix !== undefined && { prefix: o.prefix }),
      ...(o.limit !== undefined && { limit: String(o.limit) }),
    })
    const target = await resolveAdminTarget(o)
    const { body } = await callAdmin(target, { path: `/cache?${asked}`, expects: 'hit_ratio' })
    const { terminal } = context
    terminal.out(o.json ? `${JSON.stringify(body, null, 2)}\n` : cacheText(body as CacheStats, terminal.paint))
    return ExitCode.done
  })
}

// What is meant stands on the command line: nothing in the environment shall purge more than one has in mind.
function definePurge(group: Command, context: CliContext): void {
  const command = addAdminOptions(group.command('purge').description('throw answers out of it'))
    .argument('[url]', 'such as http://example.com/a; "*://" stands for http and https')
    .addOption(new Option('--prefix <url>', 'all whose URL begins so'))
    .addOption(new Option('--tag <tag>', 'all that backends have given this tag (repeatable)').argParser(collect))
    .addOption(new Option('--all', 'everything'))
    .addOption(new Option('--soft', 'mark it stale instead'))
    .addOption(shared.json())
    .addHelpText('after', whenDone)
  act(context, command, async (url: string | undefined, o: PurgeOptions) => {
    const body = { ...whatOf(url, o), ...(o.soft && { soft: true }) }
    // Its errors are told in its own words; none of them is about a configuration.
    const hints = { 409: '"cache": true in the configuration turns it on', 422: hintFor(url) }
    const target = await resolveAdminTarget(o)
    const call = { method: 'POST' as const, path: '/cache/purge', body, hints, timeoutMs: 0, expects: 'purged' }
    const answer = (await callAdmin(target, call)).body as PurgedCache
    const isWild = (url ?? o.prefix ?? '').endsWith('*')
    context.terminal.out(o.json ? `${JSON.stringify(answer, null, 2)}\n` : `${purgedText(answer, isWild)}\n`)
    return ExitCode.done
  })
}

/** Exactly one thing. */
function whatOf(url: string | undefined, { prefix, tag, all }: PurgeOptions): object {
  const given = [
    ...(url === undefined ? [] : [{ url }]),
    ...(prefix === undefined ? [] : [{ prefix }]),
    ...(tag === undefined || tag.length === 0 ? [] : [{ tag: tag.length === 1 ? tag[0] : tag }]),
    ...(all === undefined ? [] : [{ all }]),
  ]
  const [only, ...more] = given
  if (only !== undefined && more.length === 0) return only
  const what = only === undefined ? 'it is not said what to purge' : 'say one thing to purge, not several at once'
  throw new CliError(what, {
    exitCode: ExitCode.usage,
    hint: 'frontdesk cache purge URL, or --prefix URL, --tag TAG, --all',
  })
}

/** Of a URL that is not one. */
const hintFor = (url: string | undefined): string =>
  url !== undefined && /^[^:/]+(:\d+)?(\/|$)/.test(url) ? `write http://${url}, or '*://${url}' for http and https` : ''

/** `isWild`: what was to be purged ends with a star. */
function purgedText({ purged, soft }: PurgedCache, isWild: boolean): string {
  if (purged === 0) {
    const stars = isWild
      ? '; a * at the end is a character like others: --prefix takes what begins so, without one'
      : ''
    return `nothing of it was in the cache: "frontdesk cache stats" lists what is${stars}`
  }
  const entries = purged === 1 ? '1 entry' : `${purged} entries`
  if (!soft) return `purged ${entries}`
  return `${entries} marked stale: asked for again before ${purged === 1 ? 'it is' : 'they are'} used`
}
