// A promise from code that nobody waits for: a rejection that is not heard would end the thread, and all it serves.

/** Whether it is one. Then `failed` is told if it comes to nothing; default: nobody is, as its being one is mistake enough. */
export function isStrayPromise(value: unknown, failed: (error: unknown) => void = () => undefined): boolean {
  if (!(value instanceof Promise)) return false
  Promise.prototype.then.call(value, undefined, failed)
  return true
}
