// Reads what the compiler emits as declarations (.d.ts): what a module declares, imports and exports. The native compiler
// has no API for that yet, and what it emits is regular: statements with balanced brackets, one after another.
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** A name of another module. */
export interface Reference {
  /** `/` and the path below the folder, without ending; or the name of a package. */
  readonly module: string
  /** Its name there; `*` = all of it. */
  readonly name: string
}

export interface Declared {
  readonly name: string
  /** With its comment, as emitted; several for overloads. */
  readonly text: string
  readonly isExported: boolean
}

export interface DeclarationModule {
  readonly path: string
  readonly declared: ReadonlyMap<string, Declared>
  /** By local name. */
  readonly imported: ReadonlyMap<string, Reference>
  /** What is passed on, by public name. */
  readonly passedOn: ReadonlyMap<string, Reference>
  /** Modules all of whose exports are passed on. */
  readonly stars: readonly string[]
}

/** All modules below a folder of emitted declarations, read as they are asked for. */
export class Declarations {
  readonly #folder: string
  readonly #modules = new Map<string, DeclarationModule>()

  constructor(folder: string) {
    this.#folder = folder
  }

  module(path: string): DeclarationModule {
    const known = this.#modules.get(path)
    if (known !== undefined) return known
    const module = parse(path, readFileSync(join(this.#folder, `${path}.d.ts`), 'utf8'))
    this.#modules.set(path, module)
    return module
  }

  /** Every export of a module by its public name, with the place where it is declared. */
  exportsOf(path: string): Map<string, Reference> {
    const found = new Map<string, Reference>()
    const { declared, passedOn, stars } = this.module(path)
    for (const star of stars) for (const [name, reference] of this.exportsOf(star)) found.set(name, reference)
    for (const { name, isExported } of declared.values()) if (isExported) found.set(name, { module: path, name })
    for (const [name, reference] of passedOn) found.set(name, this.#origin(reference))
    return found
  }

  /** What a declaration's text refers to, of this project or of packages, with the names it has there. */
  referencesOf({ module: path, name }: Reference): Reference[] {
    const module = this.module(path)
    const words = new Set(code(module.declared.get(name)!.text).match(/[A-Za-z_$][\w$]*/g) ?? [])
    const inline = inlineImports(path, module.declared.get(name)!.text).map((each) => this.#origin(each))
    const plain = [...words].flatMap((word) => {
      if (word !== name && module.declared.has(word)) return [{ module: path, name: word }]
      const imported = module.imported.get(word)
      return imported === undefined ? [] : [this.#origin(imported)]
    })
    return [...plain, ...inline]
  }

  /** Every module that the declarations of these lead to, themselves included, and every package. */
  reachable(paths: readonly string[]): { modules: Set<string>; packages: Set<string> } {
    const modules = new Set<string>()
    const packages = new Set<string>()
    const visit = (path: string): void => {
      if (modules.has(path)) return
      modules.add(path)
      const { declared, imported, passedOn, stars } = this.module(path)
      const inline = [...declared.values()].flatMap(({ text }) => inlineImports(path, text))
      const next = [...imported.values(), ...passedOn.values(), ...inline].map((reference) => reference.module)
      for (const to of [...next, ...stars]) {
        if (isOwn(to)) visit(to)
        else packages.add(to)
      }
    }
    for (const path of paths) visit(path)
    return { modules, packages }
  }

  #origin(reference: Reference): Reference {
    if (!isOwn(reference.module) || reference.name === '*') return reference
    return this.exportsOf(reference.module).get(reference.name) ?? reference
  }
}

const isOwn = (module: string): boolean => module.startsWith('/')

/** Without comments and the texts of strings. */
const code = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '').replace(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g, "''")

function parse(path: string, text: string): DeclarationModule {
  const declared = new Map<string, Declared>()
  const imported = new Map<string, Reference>()
  const passedOn = new Map<string, Reference>()
  const stars: string[] = []
  for (const statement of statementsOf(text)) {
    const body = statement.replace(/^(?:\s*\/\*[\s\S]*?\*\/|\s*\/\/[^\n]*)+/, '').trim()
    const from = / from ['"]([^'"]+)['"];?$/.exec(body)?.[1]
    const module = from === undefined ? path : target(path, from)
    if (/^import\b/.test(body)) {
      for (const [local, name] of namesOf(body)) imported.set(local, { module, name })
    } else if (/^export (?:type )?\*/.test(body)) stars.push(module)
    else if (/^export (?:type )?\{/.test(body)) {
      for (const [as, name] of namesOf(body)) passedOn.set(as, { module, name })
    } else if (/^export default [\w$]+;$/.test(body)) {
      passedOn.set('default', { module: path, name: body.slice('export default '.length, -1) })
    } else {
      const name =
        /^(?:export )?(?:default )?(?:declare )?(?:abstract )?(?:interface|class|type|function|const|let|enum|namespace) ([\w$]+)/.exec(
          body,
        )?.[1]
      if (name === undefined) throw new Error(`${path}: what is this? ${body.slice(0, 80)}`)
      const before = declared.get(name)
      const whole = before === undefined ? statement.trim() : `${before.text}\n${statement.trim()}`
      declared.set(name, { name, text: whole, isExported: body.startsWith('export ') })
    }
  }
  return { path, declared, imported, passedOn: localNames(passedOn, imported, path), stars }
}

/** `export { x }` of something imported is that thing. */
function localNames(
  passedOn: Map<string, Reference>,
  imported: ReadonlyMap<string, Reference>,
  path: string,
): Map<string, Reference> {
  for (const [as, reference] of passedOn) {
    const origin = reference.module === path ? imported.get(reference.name) : undefined
    if (origin !== undefined) passedOn.set(as, origin)
  }
  return passedOn
}

/** `{ a, type b as c }` as [c, b]; a default import, and `* as x`. */
function namesOf(body: string): [string, string][] {
  const list = /\{([\s\S]*?)\}/.exec(body)?.[1] ?? ''
  const named = list.split(',').flatMap((each): [string, string][] => {
    const [, name, as = name] = /^\s*(?:type )?([\w$]+)(?: as ([\w$]+))?\s*$/.exec(each) ?? []
    return name === undefined || as === undefined ? [] : [[as, name]]
  })
  const all = /^import (?:type )?\* as ([\w$]+)/.exec(body)?.[1]
  const byDefault = /^import (?:type )?(?!type\b)([\w$]+)(?:,| from)/.exec(body)?.[1]
  return [
    ...named,
    ...(all === undefined ? [] : [[all, '*'] as [string, string]]),
    ...(byDefault === undefined ? [] : [[byDefault, 'default'] as [string, string]]),
  ]
}

/** `import("../x.js").Name`, as the compiler writes where the source has no import. */
function inlineImports(path: string, text: string): Reference[] {
  return [...text.matchAll(/\bimport\(['"]([^'"]+)['"]\)\.([\w$]+)/g)].map(([, specifier = '', name = '']) => ({
    module: target(path, specifier),
    name,
  }))
}

/** Of a module as it is named in an import. */
function target(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier
  return normalize(join(dirname(from), specifier.replace(/\.(?:ts|js)$/, '')))
}

/** Statements with the comments before them. */
function* statementsOf(text: string): Generator<string> {
  let start = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const skipped = endOfToken(text, at)
    if (skipped > at) {
      at = skipped - 1
      continue
    }
    const character = text[at]!
    if ('{[('.includes(character)) depth++
    else if ('}])'.includes(character)) depth--
    if (depth > 0 || !(character === ';' || (character === '}' && isBlock(text.slice(start, at))))) continue
    yield text.slice(start, at + 1)
    start = at + 1
  }
  if (code(text.slice(start)).trim() !== '')
    throw new Error(`a statement without an end: ${text.slice(start, start + 80)}`)
}

/** Where a comment or string that begins here ends; else `at`. */
function endOfToken(text: string, at: number): number {
  if (text.startsWith('/*', at)) return text.indexOf('*/', at) + 2
  if (text.startsWith('//', at)) return lineEnd(text, at)
  const quote = text[at]!
  if (quote !== '"' && quote !== "'" && quote !== '`') return at
  let end = at + 1
  while (end < text.length && text[end] !== quote) end += text[end] === '\\' ? 2 : 1
  return end + 1
}

const lineEnd = (text: string, at: number): number => {
  const end = text.indexOf('\n', at)
  return end === -1 ? text.length : end
}

/** Interfaces, classes and the like end with their bracket, everything else with a semicolon. */
const isBlock = (statement: string): boolean =>
  /^(?:export )?(?:default )?(?:declare )?(?:abstract )?(?:interface|class|enum|namespace|module|global)\b/.test(
    code(statement).trim(),
  )
