// Sizes as people write them: "64KB", "10MB", "1.5GiB", or a number of bytes. KB and KiB both are 1024 bytes.

const unitBytes: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 }

/** What the text of a size looks like; for JSON Schema. */
export const byteSizePattern = '^\\d+(\\.\\d+)?\\s*([KkMmGgTt]([Ii]?[Bb])?|[Bb])?$'
const form = /^(\d+(?:\.\d+)?)\s*(?:([KMGT])(?:I?B)?|B)?$/i

/** Bytes of a size. Throws an `Error` whose message is a sentence naming the value. */
export function parseByteSize(value: string | number): number {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= 0) return value
    throw new Error(`${value} is not a size; a number means whole bytes, 0 or more`)
  }
  const match = form.exec(value.trim())
  if (match === null) {
    throw new Error(`${JSON.stringify(value)} is not a size; write it like "64KB", "10MB" or a number of bytes`)
  }
  const bytes = Math.round(Number(match[1]) * unitBytes[(match[2] ?? '').toUpperCase()]!)
  if (!Number.isSafeInteger(bytes)) throw new Error(`${JSON.stringify(value)} is too large for a size`)
  return bytes
}

/** The shortest exact form: `parseByteSize(formatByteSize(n)) === n`. */
export function formatByteSize(bytes: number): string {
  if (bytes === 0) return '0'
  for (const unit of ['T', 'G', 'M', 'K'] as const) {
    const size = unitBytes[unit]!
    if (bytes % size === 0) return `${bytes / size}${unit}B`
  }
  return `${bytes}B`
}
