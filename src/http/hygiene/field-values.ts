// Fields of a block by name, where all of them are wanted.
import { isName, trimmed } from '../http1/grammar.ts'

/** The values in order of all fields with this (lower-case) name in a field block; '' ones too. */
export function fieldValues(block: string, name: string): string[] {
  const values: string[] = []
  for (let position = 0; position < block.length; ) {
    const colon = block.indexOf(':', position)
    const end = block.indexOf('\r\n', colon)
    if (colon - position === name.length && isName(block, position, name)) values.push(trimmed(block, colon + 1, end))
    position = end + 2
  }
  return values
}

/** Lower-case names, each once, in the order of their first field. */
export function fieldNames(block: string): string[] {
  const names = new Set<string>()
  for (let position = 0; position < block.length; ) {
    const colon = block.indexOf(':', position)
    names.add(block.slice(position, colon).toLowerCase())
    position = block.indexOf('\r\n', colon) + 2
  }
  return [...names]
}
