// Durations as people read them in a log line: `250ms`, `2s`, `1.5s`, `3m12s`, `2h5m`, `4d3h`.

/** Milliseconds to a short text, rounded to what matters at its size. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`
  if (ms < 60_000) return `${Math.round(ms / 100) / 10}s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return pair(seconds, 60, 'm', 's')
  if (seconds < 86_400) return pair(Math.round(seconds / 60), 60, 'h', 'm')
  return pair(Math.round(seconds / 3600), 24, 'd', 'h')
}

function pair(amount: number, base: number, large: string, small: string): string {
  const rest = amount % base
  return `${Math.floor(amount / base)}${large}${rest === 0 ? '' : `${rest}${small}`}`
}
