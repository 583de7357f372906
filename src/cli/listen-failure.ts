// The one sentence for an address that cannot be bound.
import { dirname } from 'node:path'
import { type Place, placeText } from '../supervisor/listen-error.ts'
import { CliError, ExitCode } from './exit-code.ts'

export interface ListenFailure extends Place {
  /** The system's code: EADDRINUSE, EACCES, …, or the supervisor's own. */
  readonly code: string
  /** What more is known, as a clause. */
  readonly detail?: string
  /** How to choose another port, such as `choose another with --port`. */
  readonly choose: string
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'this user may not (ports below 1024 are for root or CAP_NET_BIND_SERVICE)',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'the host name is not known',
}

const socketReasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  ENOTSOCK: 'there is a file of that name already, and it is no socket',
  EACCES: 'this user may not use that path',
  EPERM: 'this user may not use that path',
  EROFS: 'its folder is read-only',
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is no folder',
  ENAMETOOLONG: 'the path is too long for a Unix socket (107 bytes, and up to 9 more while it is bound)',
}

export function cannotListen(o: ListenFailure): CliError {
  const [reason, hint] =
    o.socketPath != null ? ofPath(o, o.socketPath) : o.inherited != null ? ofInherited(o) : ofPort(o)
  return new CliError(`cannot listen on ${placeText(o)}: ${o.detail || (reason ?? o.code)}`, {
    exitCode: ExitCode.unavailable,
    hint,
  })
}

function ofPort({ code, port, choose }: ListenFailure): [string | undefined, string] {
  const find = code === 'EADDRINUSE' ? `ss -ltnp 'sport = :${port}' shows it; ` : ''
  return [reasons[code], `${find}${choose}`]
}

function ofPath({ code }: ListenFailure, path: string): [string | undefined, string] {
  const other = 'choose another path in "listen"'
  const hints: Readonly<Record<string, string>> = {
    EADDRINUSE: `ss -lxp 'src ${path}' shows it; ${other}`,
    ENOTSOCK: `remove it, or ${other}`,
    ENOENT: `mkdir -p ${dirname(path)}`,
  }
  return [socketReasons[code], hints[code] ?? other]
}

function ofInherited({ code, inherited }: ListenFailure): [string | undefined, string] {
  const name = /^\d+$/.test(inherited!) ? '' : ` with FileDescriptorName=${inherited}`
  const hints: Readonly<Record<string, string>> = {
    NOT_PASSED: `it needs a .socket unit${name}, whose service starts frontdesk itself (ExecStart=, no shell or npm between)`,
    SHARED: 'let each listener name a socket of its own',
  }
  return [undefined, hints[code] ?? 'see docs/guide/listening.md']
}
