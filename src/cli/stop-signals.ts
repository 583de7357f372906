// TERM, INT and QUIT as one rule: the first drains, a second Ctrl-C forces, and one key press counts once.

/** A terminal's Ctrl-C reaches the launcher and the program, npm forwards it again: all within milliseconds. */
const SAME_KEY_PRESS_MS = 500

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGQUIT'
export type StopDecision = 'drain' | 'force' | 'ignore'

/** Decides what a signal means; pure, with the time handed in. Only an interrupt ever forces, and only the second. */
export class StopRule {
  #stopping = false
  #lastInterruptMs = Number.NEGATIVE_INFINITY

  decide(signal: StopSignal, nowMs: number): StopDecision {
    const repeated = signal === 'SIGINT' && nowMs - this.#lastInterruptMs < SAME_KEY_PRESS_MS
    if (repeated) return 'ignore'
    const interruptedBefore = this.#lastInterruptMs !== Number.NEGATIVE_INFINITY
    if (signal === 'SIGINT') this.#lastInterruptMs = nowMs
    if (!this.#stopping) {
      this.#stopping = true
      return 'drain'
    }
    return signal === 'SIGINT' && interruptedBefore ? 'force' : 'ignore'
  }
}

export interface StopHandlers {
  drain(cause: StopSignal | 'launcher'): void
  force(): void
}

/**
 * Installs the handlers, for the rest of the process's life: a signal while it ends must not kill it half-way.
 * `launched`: this process has a launcher, whose death counts as a TERM.
 */
export function onStopSignals(handlers: StopHandlers, o: { launched: boolean }): void {
  const rule = new StopRule()
  const act = (signal: StopSignal, cause: StopSignal | 'launcher'): void => {
    const decision = rule.decide(signal, performance.now())
    if (decision === 'drain') handlers.drain(cause)
    else if (decision === 'force') handlers.force()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const) process.on(signal, () => act(signal, signal))
  if (o.launched) watchLauncher(() => act('SIGTERM', 'launcher'))
}

function watchLauncher(onGone: () => void): void {
  process.once('disconnect', onGone)
  process.channel?.unref()
  if (!process.connected) onGone()
}
