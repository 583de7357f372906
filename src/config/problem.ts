// What is wrong with a configuration, and the error that carries all of it.
import { FrontdeskError } from '../core/frontdesk-error.ts'
import { redactUserInfo } from './backend-url.ts'
import { isSecret, redact, redactedText } from './redact.ts'
import { formatPath, lineAndColumn, type Origin, type Path } from './source-tree.ts'

export interface Problem {
  /** Name of the file as it was given; "command line" for overrides. */
  readonly file: string
  /** From 1; 0 = the problem has no place in a text. */
  readonly line: number
  readonly column: number
  /** JSON path, such as `pools.api.backends[0].url`; '' = the whole file. */
  readonly path: string
  /** What is wrong, without a closing dot. */
  readonly message: string
  /** What to do about it, or null where the message says it. */
  readonly hint: string | null
  /** The offending value; secrets are left out. */
  readonly value: unknown
}

/** Thrown with every problem that was found. */
export class ConfigError extends FrontdeskError {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]
  /** Found in files that the configuration names, which reading it alone does not open. */
  readonly inFiles: boolean

  constructor(problems: readonly Problem[], { inFiles = false }: { readonly inFiles?: boolean } = {}) {
    super('invalid-config', problems.map(formatProblem).join('\n'))
    this.problems = problems
    this.inFiles = inFiles
  }

  /** One line for each problem: `config.json:3:18: admin_port: 8080 is already …; choose another`. */
  format(): string {
    return this.message
  }
}

/** `file:line:column: path: message; hint`. */
export function formatProblem(problem: Problem): string {
  const place = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`
  const path = problem.path === '' ? '' : `${problem.path}: `
  return `${place}: ${path}${problem.message}${problem.hint === null ? '' : `; ${problem.hint}`}`
}

/** A problem with the value at `origin`, or with its key. */
export function problemAt(
  origin: Origin,
  problem: { message: string; hint?: string | null; value?: unknown; missing?: Path; atKey?: boolean },
): Problem {
  const offset = problem.atKey === true ? origin.keyAt : origin.at
  const position = offset < 0 ? { line: 0, column: 0 } : lineAndColumn(origin.source, offset)
  const path = [...origin.path, ...(problem.missing ?? [])]
  return {
    file: origin.source.name,
    ...position,
    path: formatPath(path),
    message: problem.message,
    hint: problem.hint ?? null,
    value: isSecret(path) ? redactedText : presentable(problem.value, path),
  }
}

function presentable(value: unknown, path: Path): unknown {
  return typeof value === 'string' ? redactUserInfo(value) : redact(value, path)
}

/** A value as messages show it: short, on one line, without secrets. */
export function show(value: unknown, path: Path = []): string {
  if (isSecret(path)) return 'the value'
  if (Array.isArray(value)) return value.length === 0 ? '[]' : 'a list'
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0 ? '{}' : 'an object'
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'string') return String(value)
  const text = JSON.stringify(redactUserInfo(value))
  return text.length <= 120 ? text : `${text.slice(0, 117)}…"`
}

/** By place in the file; what has no place comes last. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const unplaced = (p: Problem) => (p.line === 0 ? 1 : 0)
  return [...problems].sort((a, b) => unplaced(a) - unplaced(b) || a.line - b.line || a.column - b.column)
}
