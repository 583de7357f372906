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
 * Installs the handlers. `launched`: this process has a launcher, whose death counts as a TERM.
 * Returns a function that takes them off again.
 */
export function onStopSignals(handlers: StopHandlers, o: { launched: boolean }): () => void {
  const rule = new StopRule()
  const act = (signal: StopSignal, cause: StopSignal | 'launcher'): void => {
    const decision = rule.decide(signal, performance.now())
    if (decision === 'drain') handlers.drain(cause)
    else if (decision === 'force') handlers.force()
  }
  const onSignal = (signal: NodeJS.Signals): void => act(signal as StopSignal, signal as StopSignal)
  const onLauncherGone = (): void => act('SIGTERM', 'launcher')
  const signals = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const
  for (const signal of signals) process.on(signal, onSignal)
  if (o.launched) watchLauncher(onLauncherGone)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
    process.off('disconnect', onLauncherGone)
  }
}

function watchLauncher(onGone: () => void): void {
  process.once('disconnect', onGone)
  process.channel?.unref()
  if (!process.connected) onGone()
}
