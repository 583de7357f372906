// Calls the hooks of middleware one after another: at once where they are synchronous, with a wait where one is not.
import type { Answer } from '../../core/plugin.ts'
import { fromMiddleware, type OwnAnswer } from '../own-answer.ts'

/** One hook of one step, ready to call. */
export interface Hook<V> {
  /** Name of the middleware and where it was named: `auth (routes[2].use[0])`. */
  readonly label: string
  /** Of an asynchronous one. */
  readonly timeoutMs: number
  /** Else it is an `onBackendRequest`. */
  readonly mayAnswer: boolean
  call(view: V): unknown
}

/** A hook threw, rejected, took too long, or gave something that is no answer. */
export class HookFailure {
  readonly label: string
  readonly error: unknown
  constructor(label: string, error: unknown) {
    this.label = label
    this.error = error
  }
}

/** A hook has given a promise: go on at `next` when it is settled. */
export class HookWait {
  readonly hook: Hook<never>
  readonly promise: Promise<unknown>
  readonly next: number
  constructor(hook: Hook<never>, promise: Promise<unknown>, next: number) {
    this.hook = hook
    this.promise = promise
    this.next = next
  }
}

/** Undefined = all have been called and none answered. */
export type HookOutcome = OwnAnswer | HookWait | HookFailure | undefined

/** Calls the hooks from `from` on, until one answers, fails or has to be waited for. Never throws. */
export function callHooks<V>(hooks: readonly Hook<V>[], view: V, from: number): HookOutcome {
  for (let at = from; at < hooks.length; at++) {
    const hook = hooks[at]!
    let result: unknown
    try {
      result = hook.call(view)
      if (result === undefined || result === null) continue
      // Whatever else has a `then` may call back at once, or throw: as a promise it does neither.
      if (isThenable(result)) return new HookWait(hook as Hook<never>, Promise.resolve(result), at + 1)
    } catch (error) {
      return new HookFailure(hook.label, error)
    }
    return answerOf(hook, result)
  }
  return undefined
}

/** What a hook gave, once it is there. */
export function answerOf(
  { label, mayAnswer }: Pick<Hook<never>, 'label' | 'mayAnswer'>,
  result: unknown,
): OwnAnswer | HookFailure | undefined {
  if (result === undefined || result === null) return undefined
  try {
    if (!mayAnswer) throw new TypeError('onBackendRequest cannot answer; onRequest can')
    if (typeof result === 'object' && 'status' in result) return fromMiddleware(result as Answer)
    throw new TypeError('a hook must return an answer ({status, headers, body}) or nothing')
  } catch (error) {
    return new HookFailure(label, error)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
