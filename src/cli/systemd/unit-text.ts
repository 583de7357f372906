// Words of systemd's unit files: how values are quoted, and a file as sections of lines.

/** A line of a section: a key with its value, a comment (beginning with `#`), or '' for a gap. */
export type Line = readonly [key: string, value: string | number] | `#${string}` | ''

export interface Section {
  readonly name: 'Unit' | 'Service' | 'Socket' | 'Install'
  readonly lines: readonly Line[]
}

export interface UnitFile {
  /** `frontdesk.service` */
  readonly name: string
  readonly text: string
}

export function unitFile(name: string, head: readonly string[], sections: readonly Section[]): UnitFile {
  const comments = head.map((line) => `# ${line}`)
  const blocks = sections.map(({ name: title, lines }) => [`[${title}]`, ...lines.map(written)].join('\n'))
  return { name, text: `${[...comments, ...(comments.length > 0 ? [''] : []), blocks.join('\n\n')].join('\n')}\n` }
}

const written = (line: Line): string => (typeof line === 'string' ? line : `${line[0]}=${line[1]}`)

/** One word of `ExecStart=`: specifiers and variables are taken literally (systemd.service(5), "Command lines"). */
export function execWord(text: string): string {
  if (/[\n\0]/.test(text)) throw new Error(`${JSON.stringify(text)} cannot stand in a unit file`)
  const literal = text.replaceAll('%', '%%').replaceAll('$', () => '$$')
  return /^[\w@%+=:,./$-]+$/.test(literal) ? literal : `"${literal.replace(/[\\"]/g, '\\$&')}"`
}

/** A path in `ReadWritePaths=` and the like. */
export function pathWord(path: string): string {
  const literal = path.replaceAll('%', '%%')
  return /\s|"|\\/.test(literal) ? `"${literal.replace(/[\\"]/g, '\\$&')}"` : literal
}
