// A plug-in that cannot be used: what is wrong, what to do about it, and where in somebody's code, if that is known.

/** A place in a file. */
export interface CodePlace {
  /** Absolute path. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1; 0 = not known. */
  readonly column: number
}

export class PluginError extends Error {
  override readonly name = 'PluginError'
  readonly hint: string | null
  readonly place: CodePlace | null
  /** The module, as the configuration names it; '' = the reader knows. */
  label = ''

  /** `message` goes on after the name of the plug-in: `is a string, and no plug-in`. */
  constructor(message: string, hint: string | null = null, place: CodePlace | null = null) {
    super(message)
    this.hint = hint
    this.place = place
  }

  /** With its hint, and with its place before it; without the label. */
  get words(): string {
    const { place } = this
    const where = place === null ? '' : `${place.file}:${place.line}${place.column === 0 ? '' : `:${place.column}`}: `
    return `${where}${this.message}${this.hint === null ? '' : `; ${this.hint}`}`
  }
}
