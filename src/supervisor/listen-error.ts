// An address that cannot be listened on, and how it is written.
import { FrontdeskError } from '../core/frontdesk-error.ts'

/** Where something listens, or was to listen. */
export interface Place {
  /** '' = all interfaces. */
  readonly host: string
  /** 0 for other kinds of sockets. */
  readonly port: number
  /** Path of a Unix socket, or null. */
  readonly socketPath?: string | null
  /** Name or number of a socket that systemd passes, or null. */
  readonly inherited?: string | null
}

/** `code` is the system's, or NOT_PASSED, NOT_LISTENING, SHARED for a socket that was to be inherited. */
export class ListenError extends FrontdeskError implements Required<Place> {
  override readonly name = 'ListenError'
  readonly host: string
  readonly port: number
  readonly socketPath: string | null
  readonly inherited: string | null
  /** What more there is to say than the code, as a clause; '' = nothing. */
  readonly detail: string

  constructor(code: string, place: Place, detail = '') {
    super(code, `cannot listen on ${placeText(place)}: ${detail === '' ? code : detail}`)
    this.host = place.host
    this.port = place.port
    this.socketPath = place.socketPath ?? null
    this.inherited = place.inherited ?? null
    this.detail = detail
  }
}

/** `*:80`, `[::1]:80`, `unix:/run/x.sock`, `systemd:web`. */
export function placeText({ host, port, socketPath, inherited }: Place): string {
  if (socketPath != null) return `unix:${socketPath}`
  if (inherited != null) return `systemd:${inherited}`
  return `${host.includes(':') ? `[${host}]` : host || '*'}:${port}`
}
