// Paths in lists: `/exact`, or `/prefix/*`.

/** The same. Throws an `Error` with a sentence. */
export function parsePathPattern(text: string): string {
  const path = text.endsWith('/*') ? text.slice(0, -1) : text
  if (/^\/[!-)+-~]*$/.test(path) && !/[?#]/.test(path)) return text
  throw new Error(`${JSON.stringify(text)} is not a path such as "/healthz", or a prefix such as "/assets/*"`)
}
