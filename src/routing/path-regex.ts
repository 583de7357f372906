// Regular expressions for paths as routes name them.
import { type LinearRegex, linearRegex } from './linear-regex.ts'
import { literalPrefix } from './literal-prefix.ts'
import { partNameProblem } from './path-pattern.ts'

/** Checks a `path_regex`. Throws an `Error` whose message is a sentence with a hint. */
export function pathRegex(source: string): LinearRegex {
  const regex = linearRegex(source)
  for (const name of regex.names) {
    const problem = partNameProblem(name)
    if (problem !== null) throw new Error(`the group ${JSON.stringify(name)} ${problem}`)
  }
  const { prefix } = literalPrefix(source)
  if (prefix !== '' && !prefix.startsWith('/') && !'*'.startsWith(prefix)) {
    const hint = JSON.stringify(`.*${source.replace(/^\^/, '')}`)
    throw new Error(
      `${JSON.stringify(source)} must match the whole path, which begins with "/": write ${hint}, or "/" first`,
    )
  }
  return regex
}
