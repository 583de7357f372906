// The one sentence for an address that cannot be bound.
import { CliError, ExitCode } from './exit-code.ts'

export interface ListenFailure {
  /** The system's code: EADDRINUSE, EACCES, … */
  readonly code: string
  /** '' = all interfaces. */
  readonly host: string
  readonly port: number
  /** How to choose another port, such as "--port". */
  readonly choose: string
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'this user may not (ports below 1024 are for root or CAP_NET_BIND_SERVICE)',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'the host name is not known',
}

export function cannotListen(o: ListenFailure): CliError {
  const host = o.host.includes(':') ? `[${o.host}]` : o.host || '*'
  const reason = reasons[o.code] ?? o.code
  const find = o.code === 'EADDRINUSE' ? `ss -ltnp 'sport = :${o.port}' shows it; ` : ''
  return new CliError(`cannot listen on ${host}:${o.port}: ${reason}`, {
    exitCode: ExitCode.unavailable,
    hint: `${find}choose another with ${o.choose}`,
  })
}
