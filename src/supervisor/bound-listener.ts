// Where a listener was bound: for whoever says it, and for programs.

/** Where a listener was bound. */
export interface BoundListener {
  readonly name: string
  /** '' = all interfaces. */
  readonly host: string
  /** 0 for Unix sockets. */
  readonly port: number
  /** Path of the Unix socket that was bound, or null. */
  readonly socketPath: string | null
  /** As configured, for inherited sockets: `host` and `port` are then those of the first, if it is a TCP socket. */
  readonly inherited: string | null
  /** Further TCP sockets that were passed under that name. */
  readonly others?: readonly { readonly host: string; readonly port: number }[]
}
