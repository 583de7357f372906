// Sockets that somebody else listens on and hands to us at start: systemd's socket activation (sd_listen_fds(3)).
import type { ListenerSpec } from '../core/spec.ts'
import { ListenError } from './listen-error.ts'

export interface InheritedSocket {
  readonly fd: number
  /** FileDescriptorName= of its socket unit; several may have the same. */
  readonly name: string
}

/** What was handed over. */
export interface Inheritance {
  readonly sockets: readonly InheritedSocket[]
  /** Why there is nothing although LISTEN_FDS is set, as a clause; '' = it is not set, or all is well. */
  readonly refusal: string
}

/** SD_LISTEN_FDS_START */
const FIRST_FD = 3
const VARIABLES = ['LISTEN_PID', 'LISTEN_PIDFDID', 'LISTEN_FDS', 'LISTEN_FDNAMES']

/**
 * Reads LISTEN_FDS and what belongs to it, and removes the variables: what we start is not to take the sockets for its
 * own. `pids`: the numbers that LISTEN_PID may have, this process's and that of the launcher that started it.
 */
export function takeInheritance(env: NodeJS.ProcessEnv, pids: readonly number[]): Inheritance {
  const { LISTEN_PID: pid, LISTEN_FDS: fds, LISTEN_FDNAMES: names } = env
  for (const name of VARIABLES) delete env[name]
  if (fds === undefined) return { sockets: [], refusal: '' }
  if (pid === undefined || !pids.some((own) => String(own) === pid)) {
    return { sockets: [], refusal: `LISTEN_PID is ${pid ?? 'not set'}, this process is ${pids[0]}` }
  }
  if (!/^[1-9]\d{0,3}$/.test(fds)) return { sockets: [], refusal: `LISTEN_FDS is ${JSON.stringify(fds)}` }
  const known = (names ?? '').split(':')
  return {
    // What has no name is called so by sd_listen_fds_with_names, too.
    sockets: Array.from({ length: Number(fds) }, (_, index) => ({
      fd: FIRST_FD + index,
      name: known[index] || 'unknown',
    })),
    refusal: '',
  }
}

export interface Assignment {
  /** By listener; a name that several sockets have stands for all of them. */
  readonly sockets: ReadonlyMap<string, readonly InheritedSocket[]>
  /** Sockets that no listener asks for. */
  readonly unused: readonly InheritedSocket[]
}

/** Which listener gets which sockets. Throws ListenError where there is none, or another listener's. */
export function assignSockets(listeners: readonly ListenerSpec[], { sockets, refusal }: Inheritance): Assignment {
  const owners = new Map<InheritedSocket, string>()
  const assigned = new Map<string, readonly InheritedSocket[]>()
  for (const listener of listeners) {
    const wanted = listener.inherited
    if (wanted === null) continue
    const named = sockets.filter(({ name }) => name === wanted)
    const found = named.length > 0 ? named : sockets.filter((_, index) => String(index) === wanted)
    if (found.length === 0) throw new ListenError('NOT_PASSED', listener, refusal === '' ? passed(sockets) : refusal)
    for (const socket of found) {
      const owner = owners.get(socket)
      if (owner !== undefined) throw new ListenError('SHARED', listener, `listener ${owner} has that socket already`)
      owners.set(socket, listener.name)
    }
    assigned.set(listener.name, found)
  }
  return { sockets: assigned, unused: sockets.filter((socket) => !owners.has(socket)) }
}

function passed(sockets: readonly InheritedSocket[]): string {
  if (sockets.length === 0) return 'no socket was passed to this process'
  return `no such socket was passed, only ${sockets.map(({ name }, index) => `${index} (${name})`).join(', ')}`
}
