// Bytes as a configuration writes them: text, or "hex:0a0b".

const hexMark = 'hex:'

/** One character for each byte (latin1). Throws an `Error` with a sentence. */
export function parseWireText(text: string): string {
  if (!text.startsWith(hexMark)) {
    if (/^[\0-\xff]*$/.test(text)) return text
    throw new Error(`${JSON.stringify(text)} has a character beyond one byte; write the bytes as "hex:0a0b"`)
  }
  const digits = text.slice(hexMark.length)
  if (/^([0-9a-f]{2})+$/i.test(digits)) return Buffer.from(digits, 'hex').toString('latin1')
  throw new Error(`${JSON.stringify(text)} is not hexadecimal; write two digits for each byte, like "hex:0a0b"`)
}

/** The other way round: text where it can be read, else hexadecimal. */
export function formatWireText(bytes: string): string {
  if (/^[\t\r\n -~]*$/.test(bytes) && !bytes.startsWith(hexMark)) return bytes
  return hexMark + Buffer.from(bytes, 'latin1').toString('hex')
}
