// Durations as people write them: Go's form ("1h30m", "100ms", "0.5s"), days ("1d"), or whole seconds as a number.

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const part = /(\d+(?:\.\d+)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)/y

/** What the text of a duration looks like; for JSON Schema. */
export const durationPattern = '^(0|((\\d+(\\.\\d+)?|\\.\\d+)(ns|us|µs|μs|ms|s|m|h|d))+)$'

/**
 * Milliseconds of a duration: a string in Go's form (also days), or a number of whole seconds.
 * Less than a millisecond counts as one; 0 stays 0. Throws an `Error` whose message is a sentence naming the value.
 */
export function parseDuration(value: string | number): number {
  if (typeof value === 'number') return secondsToMs(value)
  const text = value.trim()
  if (text === '0') return 0
  let ms = 0
  part.lastIndex = 0
  let at = 0
  while (at < text.length) {
    const match = part.exec(text)
    if (match === null) throw new Error(explain(value))
    ms += Number(match[1]) * unitMs[match[2]!]!
    at = part.lastIndex
  }
  if (at === 0) throw new Error(explain(value))
  return bounded(ms, JSON.stringify(value))
}

function secondsToMs(seconds: number): number {
  if (!Number.isInteger(seconds)) throw new Error(`${seconds} is not a whole number of seconds; write "${seconds}s"`)
  if (seconds < 0) throw new Error(`${seconds} is negative; a duration is 0 or more`)
  return bounded(seconds * 1000, String(seconds))
}

function bounded(ms: number, shown: string): number {
  const whole = ms > 0 && ms < 1 ? 1 : Math.round(ms)
  if (!Number.isSafeInteger(whole)) throw new Error(`${shown} is too long for a duration`)
  return whole
}

function explain(value: string): string {
  const shown = JSON.stringify(value)
  if (/^\s*[-+]/.test(value)) return `${shown} has a sign; a duration is 0 or more`
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return `${shown} has no unit; write "${value.trim()}s" for seconds`
  return `${shown} is not a duration; write it like "30s", "1h30m" or "100ms"`
}

/** The shortest Go form of a whole number of milliseconds: `parseDuration(formatDuration(ms)) === ms`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  if (ms < 1000) return `${ms}ms`
  const hours = Math.floor(ms / 3_600_000)
  const minutes = Math.floor((ms % 3_600_000) / 60_000)
  const rest = ms % 60_000
  const seconds = `${Math.floor(rest / 1000)}${rest % 1000 === 0 ? '' : fraction(rest % 1000)}s`
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${rest > 0 ? seconds : ''}`
}

function fraction(ms: number): string {
  return `.${String(ms).padStart(3, '0').replace(/0+$/, '')}`
}
