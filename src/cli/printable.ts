// Text of others on a terminal: what a backend or a client sent must not steer it.

/** Control characters (C0, DEL, C1) as `\x1b`, so that they show and do nothing. */
export function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** The same, line by line. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')
