// The words of configuration documents: what a change of one is, and what becomes of it when the file changes as well.

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/**
 * Steps from the root: keys of objects; in lists whose items have an identity that identity: listeners and routes by their
 * name, backends by their URL in normal form. Other lists are one value.
 */
export type DocumentPath = readonly string[]

/** A difference of two documents in normal form: flat keys at their places, no defaults. */
export interface Difference {
  readonly path: DocumentPath
  /** Absent = it is not there any more. */
  readonly value?: Json
  /** What was there before; absent = nothing. */
  readonly base?: Json
  /** Of an item that comes to a list or leaves it: the one it stands behind; null = it is the first, absent = the last. */
  readonly after?: string | null
}

/** Something that was changed while it ran, over what file and command line say; `base` is what they said then. */
export interface DocumentChange extends Difference {
  /** ISO 8601. */
  readonly at: string
  readonly by: string
  readonly revision: number
}

/** File and API have both changed something since the API's change was made: the later of them wins, which is the file. */
export interface Conflict {
  readonly path: DocumentPath
  /** What the file says now; absent = nothing. */
  readonly file?: Json
  readonly api?: Json
  readonly wins: 'file' | 'api'
  readonly message: string
}

/** Where a value of the running configuration comes from. */
export interface ValueOrigin {
  /** As people write it: `pools.api.backends[http://10.0.0.1:3000].weight`. */
  readonly path: string
  readonly value: Json
  /** A change has taken it out: `value` is null. */
  readonly removed?: true
  readonly origin: 'file' | 'environment' | 'command_line' | 'api' | 'default'
  /** `config.json:3:15`, `--port`, or null. */
  readonly place: string | null
  /** Of a change that was made while it ran. */
  readonly at: string | null
  readonly by: string | null
  readonly revision: number | null
}
