// What of a path is changed before a backend gets it. The result is made canonical again: what a prefix hid, or a
// replacement put together, must not lead where no rule looked (CVE-2026-48020).
import type { RewriteSpec } from '../../core/route-spec.ts'
import { canonicalTarget } from '../../routing/canonical-target.ts'
import { linearRegex } from '../../routing/linear-regex.ts'

export class Rewrite {
  readonly #strip: string
  readonly #add: string
  readonly #replace: ((path: string) => string) | null

  constructor({ stripPrefix, addPrefix, replace }: RewriteSpec) {
    this.#strip = withoutSlash(stripPrefix)
    this.#add = withoutSlash(addPrefix)
    this.#replace = replace === null ? null : linearRegex(replace.pattern).replacer(replace.to)
  }

  /** Path and query for the backend out of those of the request; null = that is no path any more. `*` stays. */
  applyTo(target: string): string | null {
    if (target === '*') return target
    const at = target.indexOf('?')
    return at < 0 ? this.apply(target, '') : this.apply(target.slice(0, at), target.slice(at))
  }

  /** Path and query for the backend out of a canonical path and a query with its `?`; null = that is no path any more. */
  apply(path: string, query: string): string | null {
    let text = path
    if (this.#strip !== '' && isBelow(path, this.#strip)) text = path.slice(this.#strip.length)
    // `/api//x` without `/api` must not become `//x`, which reads like a host.
    text = `/${text.replace(/^\/+/, '')}`
    if (this.#add !== '') text = this.#add + text
    if (this.#replace !== null) text = this.#replace(text)
    const canonical = canonicalTarget(text)
    if (canonical === null || !canonical.path.startsWith('/') || canonical.path.startsWith('//')) return null
    return canonical.path + joined(canonical.query, query)
  }
}

const withoutSlash = (prefix: string): string => prefix.replace(/\/+$/, '')

/** At the end of a segment: `/apix` is not below `/api`. Both are canonical, so that lengths are those of one text. */
function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 0x2f)
}

/** A query that the replacement brings stands before the client's. */
function joined(own: string, theirs: string): string {
  if (own === '') return theirs
  return theirs.length <= 1 ? own : `${own}&${theirs.slice(1)}`
}
