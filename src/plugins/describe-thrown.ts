// What somebody's code has thrown, as text for a log: anything can be thrown, and reading it can throw again.

const MAX_LENGTH = 4000

/** The stack of an error with its causes, else the value as text. Never throws. */
export function describeThrown(thrown: unknown): string {
  try {
    return withCause(thrown, 0).slice(0, MAX_LENGTH)
  } catch {
    return 'something that cannot be shown'
  }
}

/** The message alone, on one line. Never throws. */
export function messageOf(thrown: unknown): string {
  try {
    const text = thrown instanceof Error && thrown.message !== '' ? thrown.message : String(thrown)
    return text.replace(/\s+/g, ' ').trim().slice(0, 500)
  } catch {
    return 'something that cannot be shown'
  }
}

function withCause(thrown: unknown, depth: number): string {
  if (!(thrown instanceof Error)) return `thrown: ${String(thrown)}`
  const text = typeof thrown.stack === 'string' && thrown.stack !== '' ? ownFrames(thrown.stack) : String(thrown)
  if (thrown.cause === undefined || depth === 3) return text
  return `${text}\n  caused by ${withCause(thrown.cause, depth + 1)}`
}

/** Without the frames of Node itself, and with file names instead of URLs. */
function ownFrames(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => !/^\s+at .*\(?node:internal\//.test(line))
    .join('\n')
    .replace(/file:\/\/(\/[^\s?):]+)(?:\?[^\s):]*)?/g, '$1')
}
