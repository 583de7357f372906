// The last that middleware hears of an exchange.
import type { FinishView } from '../../core/plugin.ts'
import { isStrayPromise } from '../../plugins/stray-promise.ts'
import type { Step } from './build-steps.ts'

/** Calls `onFinish` of each step that has one. `failed`: what throws, or rejects later. */
export function tellFinished(
  steps: readonly Step[],
  finish: FinishView,
  failed: (label: string, error: unknown) => void,
): void {
  for (const { label, middleware } of steps) {
    try {
      const result: unknown = middleware.onFinish!(finish)
      if (result !== undefined) isStrayPromise(result, (error) => failed(label, error))
    } catch (error) {
      failed(label, error)
    }
  }
}
