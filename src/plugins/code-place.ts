// Where in somebody's code an error of loading it arose, as far as Node tells.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { CodePlace } from './plugin-error.ts'

const CHECK_MS = 5000

/**
 * The place of a syntax error, or of the first frame that is not Node's own; null = not known. `url`: the module that was
 * imported; the error may lie in one that it imports.
 */
export async function placeOfError(error: unknown, url: string): Promise<CodePlace | null> {
  const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : ''
  const found = headPlace(stack) ?? (error instanceof SyntaxError ? null : framePlace(stack))
  if (found !== null || !(error instanceof SyntaxError)) return found
  return headPlace(await syntaxReport(fileURLToPath(url)))
}

/** A syntax error's stack begins with the place, the line itself, and a mark under it. */
export function headPlace(stack: string): CodePlace | null {
  const [head = '', ...lines] = stack.split('\n')
  const match = /^(file:\/\/\/\S+?|\/.*?):(\d+)$/.exec(head.trim())
  if (match === null) return null
  const mark = lines.findIndex((line) => /^\s*\^+\s*$/.test(line))
  return { file: pathOf(match[1]!), line: Number(match[2]), column: mark < 1 ? 0 : lines[mark]!.indexOf('^') + 1 }
}

/** `at name (file:///a/b.ts?v=1:3:5)` */
function framePlace(stack: string): CodePlace | null {
  for (const line of stack.split('\n')) {
    if (/\(?node:[\w/]+:\d+:\d+\)?$/.test(line)) continue
    const match = /^\s+at .*?(file:\/\/\/[^\s)]+|\/[^\s)]+):(\d+):(\d+)\)?$/.exec(line)
    if (match !== null) return { file: pathOf(match[1]!), line: Number(match[2]), column: Number(match[3]) }
  }
  return null
}

function pathOf(place: string): string {
  return place.startsWith('file:') ? fileURLToPath(place.replace(/[?#].*$/, '')) : place
}

/** Of plain JavaScript Node tells the place only when it runs the file itself. */
function syntaxReport(file: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--check', file], { timeout: CHECK_MS }, (_error, _out, report) => resolve(report))
  })
}
