// `frontdesk tail`: requests of a running Frontdesk as they end, or its events, for as long as one looks.
import { type Command, Option } from 'commander'
import type { AdminTarget } from '../admin-client.ts'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { act, type CliContext } from '../cli-context.ts'
import { follow } from '../event-stream.ts'
import { CliError, ExitCode } from '../exit-code.ts'
import { option, parseDuration, parsePositive, shared } from '../options.ts'
import type { ServerSentEvent } from '../sse-parser.ts'
import { type EventEntry, eventLine, type RequestEntry, requestLine } from '../tail-lines.ts'

/** Options that are filters of the API by the same name. */
const sameNames = [
  'route',
  'pool',
  'backend',
  'listener',
  'host',
  'method',
  'client',
  'path',
  'status',
  'cache',
] as const

type Filters = Readonly<Partial<Record<(typeof sameNames)[number], string>>>

interface Options extends AdminOptions, Filters {
  readonly slowerThan?: number
  readonly errors?: true
  readonly events?: true
  readonly types?: string
  readonly limit?: number
  readonly json?: true
}

const examples = `
It goes on until Ctrl-C, also while Frontdesk is restarted. Of very many requests a part is shown; how many are not is
told. Nothing is lost to the requests themselves: what nobody looks at costs nothing.

Examples:
  frontdesk tail
  frontdesk tail --errors
  frontdesk tail --route api --status 5xx --slower-than 200ms
  frontdesk tail --cache miss,bypass               what the backends are asked for though a route caches
  frontdesk tail --path /login --limit 10 --json
  frontdesk tail --events                          backends up and down, changes of the configuration`

export function defineTail(program: Command, context: CliContext): void {
  const command = addAdminOptions(
    program.command('tail').description('show requests as they end, or events as they happen'),
  )
  // Filters have no variables: FRONTDESK_BACKEND and others mean something else to "run".
  command
    .addOption(new Option('--route <name>', 'only requests of this route'))
    .addOption(new Option('--pool <name>', 'only of this pool'))
    .addOption(new Option('--backend <url>', 'only of this backend'))
    .addOption(new Option('--listener <name>', 'only of this listener'))
    .addOption(new Option('--host <name>', 'only for this host'))
    .addOption(new Option('--method <method>', 'only with this method'))
    .addOption(new Option('--client <address>', 'only from this client'))
    .addOption(new Option('--path <prefix>', 'only where the path begins so'))
    .addOption(new Option('--status <status>', 'only with this status: 404, 5xx or 400-499'))
    .addOption(new Option('--cache <result>', 'only what the cache made this of: hit, stale, miss …'))
    .addOption(option('--slower-than <duration>', 'only those that took at least so long', { parse: parseDuration }))
    .addOption(option('--errors', 'only those that failed or were answered with 5xx'))
    .addOption(option('--events', 'events instead of requests'))
    .addOption(option('--types <list>', 'only these events, such as backend_up,backend_down'))
    .addOption(option('--limit <n>', 'end after so many', { parse: parsePositive }))
    .addOption(shared.json())
    .addHelpText('after', examples)
  act(context, command, (o: Options) => tail(o, context))
}

async function tail(o: Options, context: CliContext): Promise<number> {
  const path = pathOf(o)
  const { terminal } = context
  const target = await resolveAdminTarget(o)
  const end = new AbortController()
  terminal.gone?.addEventListener('abort', () => end.abort())
  let left = o.limit ?? Number.POSITIVE_INFINITY
  for await (const line of lines(target, { path, signal: end.signal, context })) {
    const text = lineOf(line, o, context)
    if (text === null) continue
    terminal.out(`${text}\n`)
    left--
    if (left > 0) continue
    end.abort()
    break
  }
  return ExitCode.done
}

function pathOf(o: Options): string {
  const query = new URLSearchParams()
  for (const name of sameNames) if (o[name] !== undefined) query.set(name, o[name])
  if (o.slowerThan !== undefined) query.set('min_ms', String(o.slowerThan))
  if (o.errors) query.set('errors', '1')
  if (!o.events) {
    if (o.types !== undefined) throw new CliError('--types goes with --events', { exitCode: ExitCode.usage })
    return `/requests?${new URLSearchParams([['follow', '1'], ...query])}`
  }
  const [name] = query.keys()
  if (name !== undefined) {
    throw new CliError(`--events cannot be filtered by "${name}"`, {
      exitCode: ExitCode.usage,
      hint: '--types chooses among events, such as --types backend_up,backend_down',
    })
  }
  return `/events?stats=0${o.types === undefined ? '' : `&types=${encodeURIComponent(o.types)}`}`
}

interface Following {
  readonly path: string
  readonly signal: AbortSignal
  readonly context: CliContext
}

/** What the stream brings; how the stream itself is goes to stderr. */
async function* lines(target: AdminTarget, { path, signal, context }: Following): AsyncGenerator<ServerSentEvent> {
  const { err } = context.terminal
  let isLost = false
  for await (const news of follow(target, { path, signal })) {
    if (news.kind === 'event') yield news.event
    else if (news.kind === 'lost') {
      if (!isLost) err(`-- stream lost (${news.reason}); trying again\n`)
      isLost = true
    } else if (isLost) {
      err('-- stream is back\n')
      isLost = false
    }
  }
}

function lineOf({ type, data }: ServerSentEvent, o: Options, { terminal }: CliContext): string | null {
  if (type === 'hello' || type === 'stats') return null
  if (type === 'skipped') {
    const { count } = JSON.parse(data) as { count: number }
    terminal.err(`-- ${count} more not shown: more than a follower is told\n`)
    return null
  }
  if (o.json) return data
  const { paint } = terminal
  return o.events
    ? eventLine(JSON.parse(data) as EventEntry, paint)
    : requestLine(JSON.parse(data) as RequestEntry, paint)
}
