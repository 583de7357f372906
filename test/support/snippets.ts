// The programs that a page of the documentation shows, and what it says that they print.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Snippet {
  /** Where it begins, from 1. */
  readonly line: number
  readonly code: string
  /** The block `text` that follows, before any other; null = there is none. */
  readonly prints: string | null
}

const root = join(import.meta.dirname, '..', '..')
const fence = /^```(\w*)\n([\s\S]*?)^```$/gm

/** Every block `ts` of a page, by its path in the repository. */
export function snippetsOf(page: string): Snippet[] {
  const text = readFileSync(join(root, page), 'utf8')
  const blocks = [...text.matchAll(fence)].map(({ index, 1: language = '', 2: code = '' }) => ({
    index,
    language,
    code,
  }))
  return blocks.flatMap(({ index, language, code }, i) => {
    if (language !== 'ts') return []
    const next = blocks[i + 1]
    const line = text.slice(0, index).split('\n').length
    return [{ line, code, prints: next?.language === 'text' ? next.code : null }]
  })
}
