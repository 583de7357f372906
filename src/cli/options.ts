// Parsers of option values, and the rule that each flag can also be given as FRONTDESK_<FLAG>.
import { InvalidArgumentError, Option } from 'commander'
import { parseDuration as durationOf } from '../util/duration.ts'

/** A TCP port, 1–65535, or 0 for any that is free. */
export function parsePort(text: string): number {
  const port = parseWholeNumber(text)
  if (port > 65535) throw new InvalidArgumentError('A port is a number from 1 to 65535, or 0 for any free one.')
  return port
}

/** Digits only. */
export function parseWholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It is a whole number.')
  return Number(text)
}

export function parsePositive(text: string): number {
  const value = parseWholeNumber(text)
  if (value === 0) throw new InvalidArgumentError('It is at least 1.')
  return value
}

/** A number of worker threads, or "auto" for one a core. */
export function parseWorkers(text: string): number | 'auto' {
  if (text === 'auto') return text
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('It is a number of threads or "auto" (one a core).')
  return Number(text)
}

/** For an option that may be given several times; one value (from the environment, say) may hold several, with spaces between. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), ...text.split(/\s+/).filter((part) => part !== '')]
}

/** "30s", "1m30s", "500ms" or whole seconds, in milliseconds. */
export function parseDuration(text: string): number {
  try {
    return durationOf(/^\d+$/.test(text) ? Number(text) : text)
  } catch {
    throw new InvalidArgumentError('A duration is like 30s, 1m30s or 500ms.')
  }
}

/**
 * An option that can also be given as FRONTDESK_<FLAG>, or under another name where one is fixed.
 * An empty variable counts as none, as in a compose file; a switch is also off when its variable says 0, false, no or off.
 */
export function option<T>(
  flags: string,
  description: string,
  o: { parse?: (text: string, before: T) => T; env?: string } = {},
): Option {
  const made = new Option(flags, description)
  if (o.parse !== undefined) made.argParser(o.parse)
  const name = o.env ?? `FRONTDESK_${made.name().replaceAll('-', '_').toUpperCase()}`
  const isSwitch = !made.required && !made.optional
  const saysNo = /^(0|false|no|off)?$/i.test(process.env[name] ?? '')
  const isIgnored = isSwitch ? saysNo : process.env[name] === ''
  return isIgnored ? made : made.env(name)
}

/** Options that more than one command has, worded once. */
export const shared = {
  config: () =>
    option('-c, --config <file>', 'configuration file (default: config.json in this folder, else frontdesk.config.ts)'),
  workers: () => option('--workers <n|auto>', 'data-plane threads (default: one a core)', { parse: parseWorkers }),
  json: () => option('--json', 'print JSON, for programs'),
  admin: () =>
    option(
      '--admin <url>',
      'admin API of the running Frontdesk (default: what the file says, else http://127.0.0.1:8081)',
    ),
  adminCa: () => option('--admin-ca <file>', 'authority (PEM) to believe where the admin API speaks TLS'),
  adminCert: () => option('--admin-cert <file>', 'client certificate (PEM) to show to the admin API'),
  adminKey: () => option('--admin-key <file>', 'its key, where it does not lie in the same file'),
  token: () => option('--token <token>', 'bearer token of the admin API (default: what the file says)'),
  tokenFile: () => option('--token-file <file>', 'a file that holds the token'),
  dryRun: () => option('--dry-run', 'only print what it would change'),
  wait: (description: string) => option('--wait', description),
  save: () => option('--save', 'also write the change into the configuration file, keeping its comments'),
  pool: () => option('--pool <name>', 'the pool meant (needed only where there are several)'),
} as const
