// Problems that show themselves only after loading, such as a certificate that cannot be read: their place in the file.
import { ConfigError, type Problem, problemAt } from './problem.ts'
import { child, type Path, type SourceNode } from './source-tree.ts'

/**
 * The same error, each problem that has none with its place in the text: its path is taken as one of the long form, and
 * told as it is written. Anything else comes back as it is. `tree` is the expanded one.
 */
export function locate(error: unknown, tree: SourceNode): unknown {
  if (!(error instanceof ConfigError)) return error
  const problems = error.problems.map((problem) => (isPlaceless(problem, tree) ? placed(problem, tree) : problem))
  return new ConfigError(problems, error)
}

/** What the command line said, or was changed while it ran, stands in no file, though something else may at its place. */
const isPlaceless = ({ line, file }: Problem, tree: SourceNode): boolean =>
  line === 0 && (file === '' || file === 'configuration' || file === tree.origin.source.name)

function placed(problem: Problem, tree: SourceNode): Problem {
  const { node, rest } = deepest(tree, problem.path)
  if (node === tree && rest !== '') return problem
  const found = problemAt(node.origin, { message: problem.message, hint: problem.hint, value: problem.value })
  return found.line === 0 ? problem : found
}

/** As far as the path leads; names of pools may have dots in them. */
function deepest(node: SourceNode, rest: string): { node: SourceNode; rest: string } {
  const step = steps(node)
    .map((key) => ({ key, after: afterStep(rest, key) }))
    .filter((one): one is { key: string | number; after: string } => one.after !== null)
    .sort((a, b) => a.after.length - b.after.length)[0]
  return step === undefined ? { node, rest } : deepest(child(node, step.key)!, step.after)
}

function steps(node: SourceNode): Path {
  if (node.kind === 'object') return [...node.entries.keys()]
  return node.kind === 'array' ? node.items.map((_, i) => i) : []
}

/** What is left of a path after a step, or null where it goes elsewhere. */
function afterStep(path: string, step: string | number): string | null {
  const forms = typeof step === 'number' ? [`[${step}]`] : [step, `.${step}`, `[${JSON.stringify(step)}]`]
  const form = forms.find((one) => path.startsWith(one) && /^(?:[.[]|$)/.test(path.slice(one.length)))
  return form === undefined ? null : path.slice(form.length)
}
