// HTTP-date (RFC 9110 §5.6.7) as caches read it: all three forms, in any case, and no zone but GMT (RFC 9111 §4.2).
import { unsliced } from '../../../util/unsliced.ts'

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec '
const DAY = '(?:mon|tue|wed|thu|fri|sat|sun)'
const MONTH = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)'
const TIME = '([0-9]{2}):([0-9]{2}):([0-9]{2})'
const IMF = new RegExp(`^${DAY}, ([0-9]{2}) ${MONTH} ([0-9]{4}) ${TIME} gmt$`)
const RFC850 = new RegExp(`^(?:mon|tues|wednes|thurs|fri|satur|sun)day, ([0-9]{2})-${MONTH}-([0-9]{2}) ${TIME} gmt$`)
const ASCTIME = new RegExp(`^${DAY} ${MONTH} ([0-9]{2}| [0-9]) ${TIME} ([0-9]{4})$`)

/** Backends send the same Date for a second, and the same Last-Modified for as long as a file stays. */
const known = new Map<string, number>()
const MAX_KNOWN = 64

/** Milliseconds since the epoch; NaN where it is none. `now` decides only the century of a year of two digits. */
export function parseHttpDate(text: string, now = Date.now()): number {
  if (text.length < 24 || text.length > 33) return Number.NaN
  const before = known.get(text)
  if (before !== undefined) return before
  const time = readDate(text.toLowerCase(), now)
  if (known.size >= MAX_KNOWN) known.clear()
  known.set(unsliced(text), time)
  return time
}

function readDate(text: string, now: number): number {
  let match = IMF.exec(text)
  if (match !== null) return timeOf(match[3]!, match[2]!, match[1]!, match[4]!, match[5]!, match[6]!)
  match = ASCTIME.exec(text)
  if (match !== null) return timeOf(match[6]!, match[1]!, match[2]!.trim(), match[3]!, match[4]!, match[5]!)
  match = RFC850.exec(text)
  if (match === null) return Number.NaN
  const year = fullYear(Number(match[3]), new Date(now).getUTCFullYear())
  return timeOf(String(year), match[2]!, match[1]!, match[4]!, match[5]!, match[6]!)
}

/** One more than 50 years ahead is the last one that ended so. */
function fullYear(twoDigits: number, thisYear: number): number {
  const year = thisYear - (thisYear % 100) + twoDigits
  if (year > thisYear + 50) return year - 100
  return year <= thisYear - 50 ? year + 100 : year
}

function timeOf(year: string, month: string, day: string, hour: string, minute: string, second: string): number {
  const monthIndex = MONTHS.indexOf(`${month} `) / 4
  const [hours, minutes, seconds] = [Number(hour), Number(minute), Number(second)]
  // A leap second is the end of its minute.
  if (hours > 23 || minutes > 59 || seconds > 60) return Number.NaN
  const midnight = Date.UTC(Number(year), monthIndex, Number(day))
  if (new Date(midnight).getUTCDate() !== Number(day)) return Number.NaN
  // Years below 100 are not what Date.UTC takes them for.
  if (Number(year) < 100) return Number.NaN
  return midnight + ((hours * 60 + minutes) * 60 + Math.min(seconds, 59)) * 1000
}
