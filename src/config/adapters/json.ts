// JSON with comments and trailing commas → source tree.
import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import { type Problem, problemAt } from '../problem.ts'
import type { Origin, Path, Source, SourceNode } from '../source-tree.ts'

/** The tree, or the first problems with the syntax. */
export function parseJson(source: Source): SourceNode | Problem[] {
  const errors: ParseError[] = []
  if (source.text.trim() === '')
    return [at(source, 0, 'the file is empty', 'the least is { "backends": ["http://localhost:3000"] }')]
  const deep = tooDeepAt(source.text)
  if (deep !== -1) return [at(source, deep, `broken JSON: more than ${maxDepth} levels deep`)]
  const tree = parseTree(source.text, errors, { allowTrailingComma: true, disallowComments: false })
  const first = errors[0]
  if (first !== undefined) return [syntaxProblem(source, first)]
  if (tree === undefined) return [at(source, 0, 'is empty')]
  const problems: Problem[] = []
  const root = convert(tree, { source, path: [], at: tree.offset, keyAt: tree.offset }, problems)
  return problems.length > 0 ? problems : root
}

/** Far beyond what the schema knows; parser and conversion are recursive. */
const maxDepth = 100
/** `SyntaxKind.EOF`, an ambient const enum, which type stripping cannot inline. */
const endOfFile = 17

function tooDeepAt(text: string): number {
  const scanner = createScanner(text, true)
  let depth = 0
  while ((scanner.scan() as number) !== endOfFile) {
    if (scanner.getTokenLength() !== 1) continue
    const character = text[scanner.getTokenOffset()]
    if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
    if (depth > maxDepth) return scanner.getTokenOffset()
  }
  return -1
}

function at(source: Source, offset: number, message: string, hint: string | null = null): Problem {
  return problemAt({ source, path: [], at: offset, keyAt: offset }, { message, hint })
}

const texts: Readonly<Record<string, string>> = {
  InvalidSymbol: 'is not valid JSON',
  InvalidNumberFormat: 'is not a number',
  PropertyNameExpected: 'the name of a key in double quotes is expected here',
  ValueExpected: 'a value is expected here',
  ColonExpected: 'a ":" is expected here',
  CommaExpected: 'a "," is expected here',
  CloseBraceExpected: 'a "}" is expected here',
  CloseBracketExpected: 'a "]" is expected here',
  EndOfFileExpected: 'the end of the file is expected here',
  UnexpectedEndOfComment: 'a comment is not closed with "*/"',
  UnexpectedEndOfString: 'a string is not closed with a double quote',
  UnexpectedEndOfNumber: 'a number is not complete',
  InvalidUnicode: 'a "\\u" needs four hexadecimal digits',
  InvalidEscapeCharacter: 'a "\\" is followed by a character that cannot be escaped',
  InvalidCharacter: 'a string contains a control character; write it as an escape',
}

function syntaxProblem(source: Source, error: ParseError): Problem {
  const code = printParseErrorCode(error.error)
  const text = texts[code] ?? code
  const end = error.offset >= source.text.trimEnd().length
  const found = source.text.slice(error.offset, error.offset + error.length)
  const where = end ? 'the file ends here' : /^\S{1,20}$/.test(found) ? `found ${found}` : null
  return at(source, error.offset, `broken JSON: ${text}`, where)
}

function convert(node: Node, origin: Origin, problems: Problem[]): SourceNode {
  if (node.type === 'object') return { kind: 'object', origin, entries: entriesOf(node, origin, problems) }
  if (node.type === 'array') {
    const items = (node.children ?? []).map((item, i) =>
      convert(item, place(origin, i, item.offset, item.offset), problems),
    )
    return { kind: 'array', origin, items }
  }
  return { kind: 'scalar', origin, value: node.value as string | number | boolean | null }
}

function place(parent: Origin, step: string | number, keyAt: number, at: number): Origin {
  const path: Path = [...parent.path, step]
  return { source: parent.source, path, at, keyAt }
}

function entriesOf(node: Node, origin: Origin, problems: Problem[]): Map<string, SourceNode> {
  const entries = new Map<string, SourceNode>()
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? []
    if (key === undefined || value === undefined) continue
    const name = key.value as string
    const there = place(origin, name, key.offset, value.offset)
    if (entries.has(name))
      problems.push(problemAt(there, { message: 'the key stands here twice', hint: 'remove one', atKey: true }))
    entries.set(name, convert(value, there, problems))
  }
  return entries
}
