// `frontdesk request`: sends requests and says who answered them, how, and how fast.
import { type Command, InvalidArgumentError } from 'commander'
import { act, type CliContext } from '../cli-context.ts'
import { ExitCode } from '../exit-code.ts'
import { collectField, parseFields } from '../header-fields.ts'
import { type LoadReport, quantile, runLoad } from '../load-client/load-client.ts'
import { option, parseDuration, parsePositive, shared } from '../options.ts'
import { onStopSignals } from '../stop-signals.ts'
import { plural, type Terminal, table } from '../terminal.ts'

interface Options {
  readonly count: number
  readonly concurrency: number
  readonly method: string
  readonly header?: readonly string[]
  readonly keepCookies?: true
  readonly timeout: number
  readonly json?: true
}

const examples = `
Which backend answered is read from the X-Backend field, or from "backend", "server" or "name" in a JSON body.
Exit code 1 when a request got no answer; a status of 500 or above is an answer.

Examples:
  frontdesk request http://localhost:8080/ -n 1000 -c 20
  frontdesk request http://localhost:8080/ -n 9 --keep-cookies     is the session sticky?
  frontdesk request http://localhost:8080/ --method POST --header 'X-Delay: 100ms'`

export function defineRequest(program: Command, context: CliContext): void {
  const command = program
    .command('request')
    .description('send requests to a URL and count which backend answered')
    .argument('<url>', 'where to', parseUrl)
    .addOption(option('-n, --count <n>', 'how many requests', { parse: parsePositive }).default(10))
    .addOption(
      option('-c, --concurrency <n>', 'how many at once, each over its own connection', {
        parse: parsePositive,
      }).default(1),
    )
    .addOption(option('-X, --method <method>', 'request method').default('GET'))
    .addOption(option('-H, --header <field>', 'a header field, "Name: value" (repeatable)', { parse: collectField }))
    .addOption(option('--keep-cookies', 'send back the cookies received, a set of them for each connection'))
    .addOption(
      option('--timeout <duration>', 'longest a request may take', { parse: parseDuration }).default(30_000, '30s'),
    )
    .addOption(shared.json())
    .addHelpText('after', examples)
  act(context, command, (url: URL, o: Options) => sendRequests(url, o, context))
}

async function sendRequests(url: URL, o: Options, context: CliContext): Promise<number> {
  const abort = new AbortController()
  const stop = (): void => abort.abort()
  onStopSignals({ drain: stop, force: stop }, context)
  const report = await runLoad({
    url,
    method: o.method.toUpperCase(),
    headers: parseFields(o.header ?? []),
    count: o.count,
    concurrency: o.concurrency,
    keepCookies: o.keepCookies === true,
    timeoutMs: o.timeout,
    signal: abort.signal,
  })
  if (o.json) context.terminal.out(`${JSON.stringify(toJson(url, report))}\n`)
  else print(url, report, context.terminal)
  if (abort.signal.aborted) return ExitCode.forced
  return report.failures.size > 0 ? ExitCode.failed : ExitCode.done
}

function print(url: URL, report: LoadReport, terminal: Terminal): void {
  const { paint } = terminal
  const perSecond = Math.round((report.sent / report.elapsedMs) * 1000)
  terminal.out(
    `${plural(report.sent, 'request')} to ${url.href} in ${(report.elapsedMs / 1000).toFixed(2)} s (${perSecond}/s)\n`,
  )
  if (report.answered > 0) {
    const total = report.answered
    const rows = ranked(report.backends).map(([name, count]) => [
      `  ${name || '(answers that name no backend)'}`,
      String(count),
      `${((count / total) * 100).toFixed(1)} %`,
    ])
    terminal.out(`\n${paint('bold', 'Backends')}\n${table(rows, [1, 2])}`)
    const statuses = [...report.statuses].sort(([a], [b]) => a - b)
    const painted = statuses.map(([status, count]) => [
      `  ${paint(status < 400 ? 'green' : 'red', String(status))}`,
      String(count),
    ])
    terminal.out(`\n${paint('bold', 'Statuses')}\n${table(painted, [1])}`)
    const latency = [0.5, 0.99].map((q) => `p${q * 100} ${quantile(report.latenciesMs, q).toFixed(1)} ms`)
    terminal.out(
      `\n${paint('bold', 'Latency')}   ${latency.join('   ')}   max ${report.latenciesMs.at(-1)?.toFixed(1)} ms\n`,
    )
  }
  if (report.failures.size > 0) {
    const rows = ranked(report.failures).map(([reason, count]) => [`  ${paint('red', reason)}`, String(count)])
    terminal.out(`\n${paint('bold', 'Without an answer')}\n${table(rows, [1])}`)
    if (report.answered === 0)
      terminal.out(
        `\n  is anything listening? frontdesk status shows a running Frontdesk, curl -v ${url.href} the details\n`,
      )
  }
}

function toJson(url: URL, report: LoadReport): unknown {
  const { latenciesMs } = report
  return {
    url: url.href,
    sent: report.sent,
    answered: report.answered,
    failed: report.sent - report.answered,
    elapsed_ms: Math.round(report.elapsedMs),
    backends: Object.fromEntries(ranked(report.backends)),
    statuses: Object.fromEntries(report.statuses),
    failures: Object.fromEntries(ranked(report.failures)),
    latency_ms:
      latenciesMs.length === 0
        ? null
        : { p50: quantile(latenciesMs, 0.5), p99: quantile(latenciesMs, 0.99), max: latenciesMs.at(-1) },
  }
}

/** Largest first; equal ones by name. */
function ranked(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
}

function parseUrl(text: string): URL {
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `http://${text}`)
  if (url === null || url.hostname === '') throw new InvalidArgumentError('It is a URL such as http://localhost:8080/.')
  return url
}
