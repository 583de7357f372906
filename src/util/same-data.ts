// Whether two pieces of plain data say the same. Of what may be sent to a thread only: no classes, maps or functions.

/** Deep equality; members that are undefined count as absent. Bytes are compared by their content. */
export function sameData(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return Number.isNaN(a) && Number.isNaN(b)
  if (Array.isArray(a)) return Array.isArray(b) && sameLists(a, b)
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  return !Array.isArray(b) && !(b instanceof Uint8Array) && sameMembers(a as Members, b as Members)
}

type Members = Readonly<Record<string, unknown>>

function sameLists(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!sameData(a[i], b[i])) return false
  return true
}

function sameMembers(a: Members, b: Members): boolean {
  for (const key in a) if (!sameData(a[key], b[key])) return false
  for (const key in b) if (!(key in a) && b[key] !== undefined) return false
  return true
}
