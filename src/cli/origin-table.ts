// Values of the configuration and where each comes from, a line each.
import type { Json } from '../config/document/types.ts'
import type { OriginEntry } from './config-documents.ts'
import { printable } from './printable.ts'
import { type Terminal, table } from './terminal.ts'

const LONGEST_VALUE = 50

const words: Readonly<Record<OriginEntry['origin'], string>> = {
  file: 'file',
  environment: 'environment',
  command_line: 'command line',
  api: 'changed',
  default: 'default',
}

export function originTable(values: readonly OriginEntry[], { paint }: Pick<Terminal, 'paint'>): string {
  if (values.length === 0) return '  nothing is configured\n'
  const head = ['  VALUE', '', 'FROM', ''].map((cell) => paint('dim', cell))
  const rows = values.map((entry) => [
    `  ${printable(entry.path)}`,
    entry.removed === true ? paint('red', 'removed') : shown(entry.value),
    from(entry, paint),
    placeOf(entry),
  ])
  return table([head, ...rows])
}

function from({ origin }: OriginEntry, paint: Terminal['paint']): string {
  const text = words[origin]
  return origin === 'api' ? paint('yellow', text) : origin === 'default' ? paint('dim', text) : text
}

function placeOf({ place, at, by, revision }: OriginEntry): string {
  const changed = [
    ...(by === null ? [] : [`by ${by}`]),
    ...(at === null ? [] : [at.replace('T', ' ').replace(/\.\d+Z$/, 'Z')]),
    ...(revision === null ? [] : [`revision ${revision}`]),
  ]
  return printable([...(place === null ? [] : [place]), ...changed].join(', '))
}

function shown(value: Json): string {
  const text = printable(typeof value === 'string' ? value : JSON.stringify(value))
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE - 1)}…`
}
