// `frontdesk backends swap OLD NEW`: a new backend takes the place of an old one, or the old one goes on as before.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { parseBackendUrl } from '../../config/backend-url.ts'
import type { BackendStatus } from '../../control/status-document.ts'
import { type AdminTarget, callAdmin } from '../admin-client.ts'
import { resolveAdminTarget } from '../admin-target.ts'
import {
  type BackendOptions,
  callFor,
  listBackends,
  patchBackend,
  report,
  subcommand,
  unitOf,
  untilIdle,
} from '../backend-changes.ts'
import { act, type CliContext } from '../cli-context.ts'
import { CliError, ExitCode } from '../exit-code.ts'
import { option, parseDuration, parseWholeNumber, shared } from '../options.ts'
import { printable } from '../printable.ts'
import { plural } from '../terminal.ts'

const POLL_MS = 200
const DEFAULT_TIMEOUT_MS = 60_000

interface Options extends BackendOptions {
  readonly timeout: number
  readonly drain?: string
  readonly weight?: number
}

const examples = `
NEW gets the weight and limits of OLD. When its health check passes, OLD is drained: it gets nothing new, what is
open there finishes, clients bound to it stay; with --drain only for so long. If NEW does not come up in time, it is
taken out again, OLD serves as before, and the exit code is 1.

Examples:
  frontdesk backends swap http://10.0.0.1:3000 http://10.0.0.2:3000
  frontdesk backends swap http://10.0.0.1:3000 http://10.0.0.2:3000 --timeout 2m --drain 5m --wait --save`

export function defineSwap(group: Command, context: CliContext): void {
  const command = subcommand(group, 'swap', 'add a new one, wait until it is healthy, then drain the old one')
    .argument('<old>', 'as "backends list" shows it')
    .argument('<new>', 'URL of the one that takes its place')
    .addOption(
      option('--timeout <duration>', 'longest that the new one may take to become healthy', {
        parse: parseDuration,
      }).default(DEFAULT_TIMEOUT_MS, '60s'),
    )
    .addOption(option('--drain <duration>', 'after so long clients bound to the old one choose anew'))
    .addOption(option('--weight <n>', 'of the new one (default: that of the old one)', { parse: parseWholeNumber }))
    .addOption(shared.wait('return when the old one has no request in flight'))
    .addOption(shared.save())
    .addHelpText('after', examples)
  act(context, command, (old: string, url: string, o: Options) => swap(old, url, o, context))
}

async function swap(oldUrl: string, newUrl: string, o: Options, context: CliContext): Promise<number> {
  const target = await resolveAdminTarget(o)
  const old = await find(target, { url: oldUrl, pool: o.pool })
  if (normal(newUrl) === old.url) {
    throw new CliError(`${newUrl} is the old one itself`, { exitCode: ExitCode.usage, hint: 'name another as the new' })
  }
  const note = o.json ? () => {} : (text: string) => context.terminal.err(`${text}\n`)
  const isChecked = await hasHealthChecks(target, old.pool)
  const added = await bringIn(target, { url: newUrl, weight: o.weight, isChecked }, old)
  if (!isChecked) note(`pool ${old.pool} has no health checks: ${added.url} is taken as it is`)
  const patience = { timeoutMs: o.timeout, note, isChecked }
  const outcome = await orTakenBack(target, added, () => untilHealthy(target, added, patience))
  if (!outcome.isHealthy) {
    const left = await leftBehind(target, added)
    throw new CliError(`${added.url} did not come up (${outcome.reason}); ${old.url} serves as before`, {
      exitCode: outcome.isInterrupted ? ExitCode.forced : ExitCode.failed,
      hint: `${left}; see what its health check says, then swap again`,
    })
  }
  const drain = { url: old.url, pool: old.pool, state: 'drain', drain: o.drain } as const
  const drained = await orTakenBack(target, added, () => patchBackend(target, drain))
  if (o.wait) await untilIdle(target, drained)
  const open = plural(drained.current_connections, unitOf(old.url))
  const state = o.wait ? 'is drained' : `is draining, ${open} in flight`
  const text = [
    `${outcome.backend.url} serves in the place of ${old.url}, which ${state}`,
    `  back   "frontdesk backends swap ${added.url} ${old.url}${old.pool === 'default' ? '' : ` --pool ${old.pool}`}"`,
    `  done   ${callFor('remove', old)} takes the old one out`,
  ].join('\n')
  return report({ context, target, options: o, body: { old: drained, new: outcome.backend }, text })
}

function normal(url: string): string {
  try {
    return parseBackendUrl(url).url
  } catch {
    return url
  }
}

/** The one that is meant; what the API says where there is none, or more than one. */
async function find(
  target: AdminTarget,
  { url, pool }: { url: string; pool: string | undefined },
): Promise<BackendStatus> {
  const wanted = normal(url)
  const all = await listBackends(target)
  const found = all.filter((one) => one.url === wanted && (pool === undefined || one.pool === pool))
  if (found.length === 1) return found[0]!
  // Changes nothing, and is refused with the reason and what was probably meant.
  return patchBackend(target, { url, pool })
}

interface BroughtIn extends BackendStatus {
  /** How it was before: absent, or what an administrator had said of it. */
  readonly before: 'absent' | 'up' | 'drain' | 'disabled'
}

interface Wanted {
  readonly url: string
  readonly weight: number | undefined
  readonly isChecked: boolean
}

/** Adds it, or takes one that is there. Where its health is checked, a new one gets nothing before a check has passed. */
async function bringIn(
  target: AdminTarget,
  { url, weight, isChecked }: Wanted,
  old: BackendStatus,
): Promise<BroughtIn> {
  const there = (await listBackends(target)).find((one) => one.url === normal(url) && one.pool === old.pool)
  const { pool, max_connections, backup } = old
  if (there === undefined) {
    const state = isChecked ? 'disabled' : 'up'
    const body = { url, pool, weight: weight ?? old.weight, max_connections, backup, state }
    const added = (await callAdmin(target, { method: 'POST', path: '/backends', body })).body as BackendStatus
    return { ...added, before: 'absent' }
  }
  const before = there.state === 'draining' ? 'drain' : there.state === 'disabled' ? 'disabled' : 'up'
  if (weight === undefined && (isChecked || before === 'up')) return { ...there, before }
  const change = { url: there.url, pool, ...(weight !== undefined && { weight }), ...(!isChecked && { state: 'up' }) }
  return { ...(await patchBackend(target, change)), before }
}

/** A step that fails leaves nothing of the new one behind either. */
async function orTakenBack<T>(target: AdminTarget, added: BroughtIn, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    const left = `${added.url}: ${await leftBehind(target, added)}`
    const { message, exitCode, hint } = error instanceof CliError ? error : new CliError((error as Error).message)
    throw new CliError(message, { exitCode, hint: hint === '' ? left : `${hint}\n${left}` })
  }
}

/** Takes it back. What is left of it where that fails, too, is said. */
const leftBehind = (target: AdminTarget, added: BroughtIn): Promise<string> =>
  takeBack(target, added).catch(
    (error: Error) => `it could not be taken out again (${error.message}): ${callFor('remove', added)}`,
  )

/** As it was before. Says so. */
async function takeBack(target: AdminTarget, { url, pool, before }: BroughtIn): Promise<string> {
  const isThere = (await listBackends(target)).some((one) => one.url === url && one.pool === pool)
  if (!isThere) return 'it is there no more'
  if (before === 'up') return 'it was there before and stays'
  if (before === 'absent') await callAdmin(target, { method: 'DELETE', path: '/backends', body: { url, pool } })
  else await patchBackend(target, { url, pool, state: before })
  return before === 'absent' ? 'it is taken out again' : `it is ${before === 'drain' ? 'draining' : 'disabled'} again`
}

type Outcome =
  | { readonly isHealthy: true; readonly backend: BackendStatus }
  | { readonly isHealthy: false; readonly isInterrupted: boolean; readonly reason: string }

interface Patience {
  readonly timeoutMs: number
  readonly isChecked: boolean
  note(text: string): void
}

/** Waits for a passed check, then for requests to be sent to it. A signal ends the wait. */
async function untilHealthy(target: AdminTarget, added: BackendStatus, o: Patience): Promise<Outcome> {
  const interrupt = new AbortController()
  const onSignal = (): void => interrupt.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  try {
    const giveUpAt = performance.now() + o.timeoutMs
    const { url, pool } = added
    let told = ''
    for (;;) {
      const now = (await listBackends(target)).find((one) => one.url === url && one.pool === pool)
      if (now === undefined) return { isHealthy: false, isInterrupted: false, reason: 'it was removed meanwhile' }
      if (now.state === 'up' || (!o.isChecked && now.alive)) return { isHealthy: true, backend: now }
      const isHeld = now.state === 'disabled' || now.state === 'draining'
      if (isHeld && now.last_check?.ok === true) {
        await patchBackend(target, { url, pool, state: 'up' })
        continue
      }
      const reason = healthWords(now)
      if (interrupt.signal.aborted) return { isHealthy: false, isInterrupted: true, reason: `interrupted, ${reason}` }
      if (performance.now() > giveUpAt) return { isHealthy: false, isInterrupted: false, reason }
      if (reason !== told) o.note(`waiting for ${url} (${reason})`)
      told = reason
      await sleep(POLL_MS, undefined, { signal: interrupt.signal }).catch(() => undefined)
    }
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, onSignal)
  }
}

function healthWords({ last_check: check, state }: BackendStatus): string {
  if (check === null) return 'not checked yet'
  return check.ok ? state : `down: ${printable(check.reason)}`
}

async function hasHealthChecks(target: AdminTarget, name: string): Promise<boolean> {
  const { body } = await callAdmin(target, { path: '/pools' })
  const pool = (body as { name: string; health_check: unknown }[]).find((one) => one.name === name)
  return pool === undefined || pool.health_check !== null
}
