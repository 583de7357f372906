// How long to wait before the nth attempt to reach Frontdesk again.

const firstMs = 500
const mostMs = 15_000

/** From half a second, doubled each time, at most 15 s; a fifth of it by chance, so that many pages do not come at once. */
export function backOffMs(attempt: number, chance: number = Math.random()): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 10))
  return Math.round(whole * (0.8 + 0.2 * chance))
}
