// JSON with comments and trailing commas → source tree.
import { type JSONVisitor, type ParseError, printParseErrorCode, visit } from 'jsonc-parser'
import { type Problem, problemAt } from '../problem.ts'
import type { Origin, ScalarNode, Source, SourceNode } from '../source-tree.ts'

/** The tree, or the first problems with the syntax. */
export function parseJson(source: Source): SourceNode | Problem[] {
  if (source.text.trim() === '')
    return [at(source, 0, 'the file is empty', 'the least is { "backends": ["http://localhost:3000"] }')]
  const builder = new TreeBuilder(source)
  try {
    visit(source.text, builder, { allowTrailingComma: true, disallowComments: false })
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error
    return [at(source, error.offset, `broken JSON: more than ${maxDepth} levels deep`)]
  }
  const { firstError, root, problems } = builder
  if (firstError !== null) return [syntaxProblem(source, firstError)]
  if (root === null) return [at(source, 0, 'is empty')]
  return problems.length > 0 ? problems : root
}

/** Far beyond what the schema knows; the parser is recursive. */
const maxDepth = 100

class TooDeep extends Error {
  readonly offset: number

  constructor(offset: number) {
    super('too deep')
    this.offset = offset
  }
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

/** An object or a list whose end has not come yet. */
type Open =
  | { readonly kind: 'object'; readonly origin: Origin; readonly entries: Map<string, SourceNode> }
  | { readonly kind: 'array'; readonly origin: Origin; readonly items: SourceNode[] }

/** Makes the tree while the text is read: a large file has millions of tokens. */
class TreeBuilder implements JSONVisitor {
  root: SourceNode | null = null
  firstError: ParseError | null = null
  readonly problems: Problem[] = []
  readonly #source: Source
  readonly #open: Open[] = []
  #key = ''
  #keyAt = 0

  constructor(source: Source) {
    this.#source = source
  }

  readonly onObjectBegin = (offset: number): void => {
    this.#begin({ kind: 'object', origin: this.#place(offset), entries: new Map() })
  }

  readonly onArrayBegin = (offset: number): void => {
    this.#begin({ kind: 'array', origin: this.#place(offset), items: [] })
  }

  readonly onObjectProperty = (name: string, offset: number): void => {
    this.#key = name
    this.#keyAt = offset
  }

  readonly onLiteralValue = (value: ScalarNode['value'], offset: number): void => {
    this.#add({ kind: 'scalar', origin: this.#place(offset), value })
  }

  readonly onObjectEnd = (): void => {
    this.#open.pop()
  }

  readonly onArrayEnd = (): void => {
    this.#open.pop()
  }

  readonly onError = (error: number, offset: number, length: number): void => {
    this.firstError ??= { error, offset, length }
  }

  #begin(node: Open): void {
    if (this.#open.length >= maxDepth) throw new TooDeep(node.origin.at)
    this.#add(node)
    this.#open.push(node)
  }

  #place(at: number): Origin {
    const parent = this.#open.at(-1)
    if (parent === undefined) return { source: this.#source, path: [], at, keyAt: at }
    if (parent.kind === 'array') {
      return { source: this.#source, path: [...parent.origin.path, parent.items.length], at, keyAt: at }
    }
    return { source: this.#source, path: [...parent.origin.path, this.#key], at, keyAt: this.#keyAt }
  }

  #add(node: SourceNode): void {
    const parent = this.#open.at(-1)
    if (parent === undefined) this.root ??= node
    else if (parent.kind === 'array') parent.items.push(node)
    else {
      if (parent.entries.has(this.#key)) {
        const words = { message: 'the key stands here twice', hint: 'remove one', atKey: true }
        this.problems.push(problemAt(node.origin, words))
      }
      parent.entries.set(this.#key, node)
    }
  }
}
