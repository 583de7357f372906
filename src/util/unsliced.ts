// Strings that are kept for long: V8 makes a piece of a long string refer to the whole of it, which then stays too.

/** The same latin1 text with nothing behind it. */
export function unsliced(text: string): string {
  return Buffer.from(text, 'latin1').latin1Slice()
}
