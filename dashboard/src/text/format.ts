// Numbers, times and sizes as people read them. The same width wherever it can be: figures stand below each other.

const nothing = '–'

/** `0`, `3.4`, `87`, `1,240`, `12.4k`, `1.2M`. */
export function formatCount(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return nothing
  const size = Math.abs(value)
  if (size >= 999_500) return `${trimmed(value / 1e6)}M`
  if (size >= 9_999.5) return `${trimmed(value / 1e3)}k`
  if (size >= 99.5 || Number.isInteger(value)) return Math.round(value).toLocaleString('en-US')
  return trimmed(value)
}

const trimmed = (value: number): string => value.toFixed(Math.abs(value) < 99.95 ? 1 : 0).replace(/\.0$/, '')

/** A share of 0 to 1 as `0 %`, `0.02 %`, `4.1 %`, `100 %`. */
export function formatShare(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return nothing
  const percent = share * 100
  if (percent === 0) return '0 %'
  if (percent < 0.01) return '< 0.01 %'
  return `${percent.toFixed(percent < 1 ? 2 : 1).replace(/\.?0+$/, '')} %`
}

/** Milliseconds as `0.4 ms`, `12 ms`, `1.24 s`, `2 min`. */
export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return nothing
  if (ms < 9.95) return `${ms.toFixed(1).replace(/\.0$/, '')} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9_995 ? 2 : 1).replace(/\.?0+$/, '')} s`
  return formatDuration(ms / 1000)
}

/** Bytes as `0 B`, `820 B`, `14 KB`, `2.3 MB`; of 1024 each, as in the configuration, with that as `base`. */
export function formatBytes(bytes: number | null | undefined, base = 1000): string {
  if (bytes === null || bytes === undefined || !Number.isFinite(bytes)) return nothing
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= base
    unit++
  }
  return `${unit === 0 ? Math.round(value) : trimmed(value)} ${units[unit]}`
}

/** Seconds as `45 s`, `3 min`, `2 h 5 min`, `4 d 3 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** The same in one unit, where there is no room: `45 s`, `3 min`, `2 h`, `4 d`. */
export function formatSpan(seconds: number): string {
  return formatDuration(seconds).replace(/(\D) .*/, '$1')
}

/** How long ago: `now`, `8 s ago`, `3 min ago`. */
export function formatAgo(at: string | number, nowMs: number): string {
  const seconds = (nowMs - (typeof at === 'number' ? at : Date.parse(at))) / 1000
  if (!Number.isFinite(seconds)) return nothing
  return seconds < 1.5 ? 'now' : `${formatDuration(seconds)} ago`
}

/** Time of day in the reader's zone: `14:03:27`. */
export function formatTime(at: string | number): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? nothing : date.toLocaleTimeString('en-GB')
}

/** Day and time: `21 Nov 2026, 14:03`. */
export function formatDate(at: string | number): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return nothing
  const day = date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
  return `${day}, ${date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })}`
}

/** `1 backend`, `3 backends`. */
export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`
}
