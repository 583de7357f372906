// `${VAR}` and `${VAR:-default}` in the string values of a configuration.
import { closest } from '../util/edit-distance.ts'
import { type Problem, problemAt } from './problem.ts'
import { mapChildren, type ScalarNode, type SourceNode } from './source-tree.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** `$${` stands for a literal `${`. */
const reference = /\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})?/g

// biome-ignore lint/suspicious/noTemplateCurlyInString: shows the syntax of the file
const howTo = 'write ${NAME} or ${NAME:-default}'

/** The tree with every reference replaced. An unset variable without a default is a problem; `:-` also replaces an empty one. */
export function interpolate(root: SourceNode, env: Environment, problems: Problem[]): SourceNode {
  if (root.kind !== 'scalar') return mapChildren(root, (child) => interpolate(child, env, problems))
  if (typeof root.value !== 'string' || !root.value.includes('${')) return root
  return substitute(root, root.value, env, problems)
}

function substitute(node: ScalarNode, text: string, env: Environment, problems: Problem[]): ScalarNode {
  let failed = false
  const fail = (message: string, hint: string) => {
    failed = true
    problems.push(problemAt(node.origin, { message, hint, value: text }))
    return ''
  }
  const value = text.replace(reference, (match, name: string | undefined, fallback: string | undefined) => {
    if (match === '$${') return '${'
    if (name === undefined) return fail('a variable is not closed or has no valid name', howTo)
    const set = env[name]
    if (fallback !== undefined) return set === undefined || set === '' ? fallback : set
    if (set !== undefined) return set
    const guess = closest(name, Object.keys(env))
    return fail(
      `the variable ${name} is not set`,
      guess === null ? `set it, or give a default: \${${name}:-default}` : `did you mean ${guess}?`,
    )
  })
  return failed ? node : { ...node, value, interpolated: true }
}
