// One value that changes, and those who look at it: told at most once for each frame that is drawn.
import { useLayoutEffect, useState } from 'preact/hooks'

export class Store<S> {
  #state: S
  #scheduled = false
  readonly #listeners = new Set<() => void>()

  constructor(state: S) {
    this.#state = state
  }

  get(): S {
    return this.#state
  }

  update(change: (state: S) => S): void {
    const next = change(this.#state)
    if (next === this.#state) return
    this.#state = next
    if (this.#scheduled) return
    this.#scheduled = true
    schedule(() => {
      this.#scheduled = false
      for (const listener of [...this.#listeners]) listener()
    })
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** With the next frame; a page in the background has none and is brought up to date twice a second. */
function schedule(run: () => void): void {
  if (document.visibilityState === 'visible') requestAnimationFrame(run)
  else setTimeout(run, 500)
}

/** A part of the store's value; draws again when that part is another one. */
export function useStore<S, T>(store: Store<S>, select: (state: S) => T): T {
  const selected = select(store.get())
  const [, redraw] = useState(0)
  useLayoutEffect(() => {
    let seen = selected
    const look = (): void => {
      const now = select(store.get())
      if (Object.is(now, seen)) return
      seen = now
      redraw((n) => n + 1)
    }
    look()
    return store.subscribe(look)
  }, [store, selected])
  return selected
}
