// What every cross-check is given, and how it reports.
import type { NamedFiles } from '../named-files.ts'
import type { DecidedKind } from '../pool-kind.ts'
import { type Problem, problemAt } from '../problem.ts'
import type { LongForm } from '../schema/file.ts'
import { nearest, nodeAt, type Origin, type Path, type SourceNode, toValue } from '../source-tree.ts'

export interface CheckOptions {
  /** Whether a listener may ask for port 0; the command line always may. */
  readonly allowAnyPort: boolean
  /** The configuration file; null without one. */
  readonly path: string | null
  readonly files: NamedFiles
  /** Pools that are meant to have no backends. */
  readonly empty: ReadonlySet<string>
  /** Whether something at or below this path was wrong and has been left out. */
  readonly isCut: (path: string) => boolean
}

export interface Check {
  readonly config: LongForm
  readonly options: CheckOptions
  readonly tree: SourceNode
  /** By name of the pool. */
  readonly kinds: ReadonlyMap<string, DecidedKind>
  report(path: Path, message: string, hint?: string, options?: { value?: unknown; atKey?: boolean }): void
  origin(path: Path): Origin
  /** Whether somebody wrote a value there that is neither null nor false. */
  isWritten(path: Path): boolean
}

export function checkInto(problems: Problem[], parts: Pick<Check, 'config' | 'options' | 'tree' | 'kinds'>): Check {
  const { tree } = parts
  return {
    ...parts,
    origin: (path) => nearest(tree, path).node.origin,
    isWritten(path) {
      const node = nodeAt(tree, path)
      const value = node === undefined ? null : toValue(node)
      return value !== null && value !== false
    },
    report(path, message, hint, more = {}) {
      const { node, missing } = nearest(tree, path)
      problems.push(problemAt(node.origin, { message, hint: hint ?? null, missing, ...more }))
    },
  }
}
