// Values of header fields and query parameters as conditions name them: a `*` at either end stands for any characters.

/** A test of one value: true where there are no patterns (it must only be there). */
export function compileValues(patterns: readonly string[]): (value: string) => boolean {
  if (patterns.length === 0) return () => true
  const plain = new Set(patterns.filter((pattern) => !pattern.startsWith('*') && !pattern.endsWith('*')))
  const starred = patterns.filter((pattern) => !plain.has(pattern)).map(starredTest)
  if (starred.length === 0 && patterns.length === 1) return (value) => value === patterns[0]
  return (value) => plain.has(value) || starred.some((test) => test(value))
}

function starredTest(pattern: string): (value: string) => boolean {
  const text = valueText(pattern)
  if (!pattern.startsWith('*')) return (value) => value.startsWith(text)
  if (pattern.length > 1 && pattern.endsWith('*')) return (value) => value.includes(text)
  return (value) => value.endsWith(text)
}

/** What stands between the stars. */
export function valueText(pattern: string): string {
  const from = pattern.startsWith('*') ? 1 : 0
  return pattern.slice(from, pattern.length > from && pattern.endsWith('*') ? -1 : undefined)
}
