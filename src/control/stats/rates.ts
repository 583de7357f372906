// Numbers of the statistics as they are shown.

/** Per second, with one decimal. */
export const perSecond = (count: number, seconds: number): number =>
  seconds <= 0 ? 0 : Math.round((Math.max(0, count) / seconds) * 10) / 10

/** 0 to 1, with four decimals; 0 of nothing. */
export const share = (part: number, whole: number): number =>
  whole <= 0 ? 0 : Math.min(1, Math.round((part / whole) * 10_000) / 10_000)
