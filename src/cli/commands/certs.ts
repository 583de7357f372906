// `frontdesk certs`: the certificates of a running Frontdesk.
import type { Command } from 'commander'
import type { MaterialStatus } from '../../control/certificates/certificate-status.ts'
import { callAdmin } from '../admin-client.ts'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { expiredLines, isEarly, isOver, namesOf, refusedLines, timeLeft, usersOf } from '../certificate-words.ts'
import { act, type CliContext } from '../cli-context.ts'
import { ExitCode } from '../exit-code.ts'
import { shared } from '../options.ts'
import { plural, type Terminal, table } from '../terminal.ts'

/** From so many days before their end on they are painted. */
const SOON_DAYS = 30

export function defineCerts(program: Command, context: CliContext): void {
  const certs = program.command('certs').description('show the certificates of a running Frontdesk')
  const list = addAdminOptions(certs.command('list').description('all certificates, and when they expire'))
  list.addOption(shared.json())
  list.addHelpText(
    'after',
    "\nFiles are read again by themselves when they change, and on HUP. What a file holds that cannot be used\nis told here; the old certificate then stays in use.\n\nExamples:\n  frontdesk certs list\n  frontdesk certs list --json | jq '.[] | select(.days_left < 14) | .name'",
  )
  act(context, list, async (o: AdminOptions & { json?: true }) => {
    const target = await resolveAdminTarget(o)
    const { body } = await callAdmin(target, { path: '/certificates', expects: 'a list' })
    if (o.json) context.terminal.out(`${JSON.stringify(body, null, 2)}\n`)
    else print(body as MaterialStatus[], context.terminal)
    return ExitCode.done
  })
}

function print(all: readonly MaterialStatus[], terminal: Terminal): void {
  if (all.length === 0) {
    terminal.out('No certificates: no listener has "tls", and no pool shows one to its backends.\n')
    return
  }
  const head = ['  NAMES', 'EXPIRES IN', 'KEY', 'USED BY', 'ISSUER', 'FILE'].map((cell) => terminal.paint('dim', cell))
  terminal.out(table([head, ...all.map((one) => row(one, terminal))]))
  for (const line of [...expiredLines(all, terminal), ...refusedLines(all, terminal)]) terminal.out(`\n${line}`)
  const of = (chosen: (one: MaterialStatus) => boolean): string =>
    counted(all.filter((one) => one.kind === 'certificate' && chosen(one)).length)
  const soon = of((one) => !isOver(one) && isSoon(one))
  if (soon !== '') terminal.out(`\n  ${soon} to be renewed within ${SOON_DAYS} days\n`)
}

const counted = (count: number): string => (count === 0 ? '' : plural(count, 'certificate'))

function row(one: MaterialStatus, terminal: Terminal): string[] {
  const [key, issuer] = one.kind === 'certificate' ? [keyOf(one), one.issuer] : ['', kinds[one.kind]]
  return [`  ${namesOf(one)}`, left(one, terminal), key, usersOf(one), issuer, one.name]
}

/** In the place of an issuer. */
const kinds = { authorities: '(trusted)', revocation_list: '(revoked)' } as const

const keyOf = ({ key_type: type, key_bits: bits }: { key_type: string; key_bits: number | null }): string =>
  bits === null ? type : `${type} ${bits}`

const isSoon = ({ days_left: days }: MaterialStatus): boolean => days !== null && days < SOON_DAYS

function left(one: MaterialStatus, { paint }: Terminal): string {
  const text = timeLeft(one)
  if (isOver(one)) return paint('red', text)
  return isEarly(one) || isSoon(one) ? paint('yellow', text) : text
}
