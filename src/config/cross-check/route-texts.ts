// Texts with variables in a route, and the files that hold such texts.
import { linearRegex } from '../../routing/linear-regex.ts'
import { pathPattern } from '../../routing/path-pattern.ts'
import { parseTemplate, type TemplatePlace, variableProblem, variablesOf } from '../../routing/template.ts'
import { show } from '../problem.ts'
import type { BodyConfig } from '../schema/route/body.ts'
import type { FieldConfig, HeaderEditsConfig } from '../schema/route/headers.ts'
import type { WrittenRoute } from '../schema/route.ts'
import type { Path } from '../source-tree.ts'
import type { Check } from './check.ts'
import { itemPath, keyPath } from './route-places.ts'

export function checkTexts(check: Check, path: Path, route: WrittenRoute): void {
  const texts = new Texts(check, route)
  const { action } = route
  if (action.kind === 'redirect') texts.text(keyPath(check.tree, [...path, 'redirect'], 'to'), action.to, 'request')
  if (action.kind === 'respond') {
    texts.fields([...path, 'respond', 'headers'], action.headers, 'answer')
    texts.body([...path, 'respond'], action.body, 'answer')
  }
  texts.edits([...path, 'headers', 'request'], route.requestHeaders, 'request')
  texts.edits([...path, 'headers', 'response'], route.responseHeaders, 'response')
  for (const [i, { body }] of route.errorPages.entries()) {
    texts.body([...path, 'error_pages', i], body, 'error-page')
  }
}

class Texts {
  readonly #check: Check
  readonly #route: WrittenRoute
  #params: readonly string[] | null = null

  constructor(check: Check, route: WrittenRoute) {
    this.#check = check
    this.#route = route
  }

  edits(path: Path, edits: HeaderEditsConfig | null, place: TemplatePlace): void {
    if (edits === null) return
    this.fields([...path, 'set'], edits.set, place)
    this.fields([...path, 'add'], edits.add, place)
  }

  fields(path: Path, fields: readonly FieldConfig[], place: TemplatePlace): void {
    fields.forEach(({ name, value }, i) => {
      const before = fields.findIndex((field) => field.name === name)
      this.text(itemPath(this.#check.tree, [...path, name], i - before), value, place)
    })
  }

  body(path: Path, { file, text }: BodyConfig, place: TemplatePlace): void {
    if (file === null) this.text([...path, 'body'], text, place, { loose: true })
    else {
      const at: Path = [...path, 'file']
      const content = readFile(this.#check, at, file)
      if (content !== null) this.text(at, content, place, { loose: true, file })
    }
  }

  text(path: Path, text: string, place: TemplatePlace, o: { loose?: boolean; file?: string } = {}): void {
    if (!text.includes('{')) return
    const { report } = this.#check
    // What stands in a file is not the value of its key.
    const about = o.file === undefined ? { value: text, prefix: '' } : { value: o.file, prefix: `${show(o.file)}: ` }
    try {
      for (const name of variablesOf(parseTemplate(text, { loose: o.loose === true }))) {
        const problem = variableProblem(name, place, this.#paramsOfRoute())
        if (problem !== null) report(path, about.prefix + problem.message, problem.hint, { value: about.value })
      }
    } catch (error) {
      report(path, about.prefix + (error as Error).message, undefined, { value: about.value })
    }
  }

  /** Names that parts of the path, or groups of the regular expression, have. */
  #paramsOfRoute(): readonly string[] {
    const { paths, pathRegex } = this.#route.match
    this.#params ??=
      pathRegex === null ? paths.flatMap((path) => pathPattern(path).parts) : linearRegex(pathRegex).names
    return this.#params
  }
}

/** The content of a file that the configuration names; null = it cannot be used, and that has been said. */
export function readFile({ options, report }: Check, path: Path, file: string): string | null {
  try {
    return options.files.read(file)
  } catch (error) {
    report(path, `${show(file)}: ${(error as Error).message}`, undefined, { value: file })
    return null
  }
}
