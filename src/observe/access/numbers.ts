// Times as lines of a log say them. `toFixed` and `toISOString` for each line would cost more than all the rest of it.

const thousandths = Array.from({ length: 1000 }, (_, value) => String(value).padStart(3, '0'))

/** Microseconds as milliseconds with three decimals. */
export function milliseconds(us: number): string {
  const whole = Math.floor(us / 1000)
  return `${whole}.${thousandths[us - whole * 1000]}`
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** A moment in the forms that logs have. One at a time: each form is made once for lines of the same moment. */
export class LineTime {
  #ms = Number.NaN
  #iso = ''
  #clfSecond = Number.NaN
  #clf = ''

  set(ms: number): void {
    if (ms === this.#ms) return
    this.#ms = ms
    this.#iso = ''
  }

  /** `2026-11-21T15:20:00.123Z` */
  get iso(): string {
    if (this.#iso === '') this.#iso = new Date(this.#ms).toISOString()
    return this.#iso
  }

  /** Seconds since 1970 with three decimals. */
  get unix(): string {
    return milliseconds(this.#ms)
  }

  /** `21/Nov/2026:15:20:00 +0000` */
  get clf(): string {
    const second = Math.floor(this.#ms / 1000)
    if (second !== this.#clfSecond) {
      this.#clfSecond = second
      this.#clf = clfTime(new Date(this.#ms))
    }
    return this.#clf
  }
}

function clfTime(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return (
    `${two(at.getUTCDate())}/${months[at.getUTCMonth()]}/${at.getUTCFullYear()}:` +
    `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`
  )
}
