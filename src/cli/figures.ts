// Measured values in few characters, for tables and lines.

/** "0", "3.4", "1234", "12.3k", "4.1M". */
export function compact(value: number): string {
  if (value < 9.95) return Number.isInteger(value) ? String(value) : value.toFixed(1)
  if (value < 9_999.5) return String(Math.round(value))
  const [scaled, unit] =
    value < 999_500 ? [value / 1e3, 'k'] : value < 999.5e6 ? [value / 1e6, 'M'] : [value / 1e9, 'G']
  return `${scaled < 99.95 ? scaled.toFixed(1) : Math.round(scaled)}${unit}`
}

/** "512 B", "1.4 KB", "12 MB". */
export const bytes = (count: number): string => scaled(count, 1000)

/** The same of 1024 each, as the configuration writes sizes. */
export const room = (count: number): string => scaled(count, 1024)

function scaled(count: number, base: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let value = count
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= base
    unit++
  }
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** "0 %", "0.3 %", "12 %"; of a share from 0 to 1. */
export function percent(share: number): string {
  const value = share * 100
  if (value === 0) return '0 %'
  if (value < 0.1) return '<0.1 %'
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} %`
}

/** "-" without any, "0.4 ms", "12 ms", "3.2 s". */
export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return '-'
  if (value < 9.95) return `${value.toFixed(1)} ms`
  return value < 9_999.5 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(value < 99_950 ? 1 : 0)} s`
}

/** "4 s", "3 min", "5 h", "2 d": how long ago. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 100) return `${seconds} s`
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}
