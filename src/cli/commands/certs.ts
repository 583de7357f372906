// `frontdesk certs`: the certificates of a running Frontdesk.
import type { Command } from 'commander'
import type { CertificateStatus } from '../../control/certificates/certificate-status.ts'
import { callAdmin } from '../admin-client.ts'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { act, type CliContext } from '../cli-context.ts'
import { ExitCode } from '../exit-code.ts'
import { shared } from '../options.ts'
import { plural, type Terminal, table } from '../terminal.ts'

/** From so many days before their end on they are painted. */
const SOON_DAYS = 30
const SHORT_NAMES = 2

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
    const { body } = await callAdmin(target, { path: '/certificates' })
    if (o.json) context.terminal.out(`${JSON.stringify(body, null, 2)}\n`)
    else print(body as CertificateStatus[], context.terminal)
    return ExitCode.done
  })
}

function print(certificates: readonly CertificateStatus[], terminal: Terminal): void {
  if (certificates.length === 0) {
    terminal.out('No certificates: no listener has "tls", and no pool shows one to its backends.\n')
    return
  }
  const head = ['  NAMES', 'EXPIRES IN', 'KEY', 'USED BY', 'ISSUER', 'FILE'].map((cell) => terminal.paint('dim', cell))
  terminal.out(table([head, ...certificates.map((one) => row(one, terminal))]))
  const refused = certificates.filter(({ last_error: error }) => error !== null)
  for (const { name, last_error: error } of refused) {
    terminal.out(`\n  ${terminal.paint('red', 'not in use')}  what ${name} holds now: ${error!.message}\n`)
  }
  if (refused.length > 0) terminal.out('  next  put a pair that fits in its place; it is taken by itself\n')
  const soon = certificates.filter(({ days_left: days }) => days < SOON_DAYS).length
  if (soon > 0) terminal.out(`\n  ${plural(soon, 'certificate')} to be renewed within ${SOON_DAYS} days\n`)
}

function row(certificate: CertificateStatus, terminal: Terminal): string[] {
  const { names, alternative_names: all, subject, listeners, pools, key_type: type, key_bits: bits } = certificate
  const shown = names.length > 0 ? names : all.length > 0 ? all : [subject]
  const more = shown.length > SHORT_NAMES ? ` and ${shown.length - SHORT_NAMES} more` : ''
  return [
    `  ${shown.slice(0, SHORT_NAMES).join(', ')}${more}`,
    left(certificate, terminal),
    bits === null ? type : `${type} ${bits}`,
    [...listeners, ...pools.map((pool) => `pool ${pool}`)].join(', '),
    certificate.issuer,
    certificate.name,
  ]
}

function left({ days_left: days }: CertificateStatus, { paint }: Terminal): string {
  if (days < 0) return paint('red', 'expired')
  const text = plural(days, 'day')
  return days < SOON_DAYS ? paint('yellow', text) : text
}
