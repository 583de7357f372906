// Branches of a shell's `case` that tell what a value is: for bash and zsh, whose syntax of it is the same.
import { type CompletedCommand, type ValueKind, valuedNames, valuedPlaces } from './completion-tree.ts'
import { posixQuoted } from './shell-words.ts'

/** `backends add --pool` and `backends drain 0`: the path, then the option or the number of the argument. */
export function kindCases({ path, options, arguments: list }: CompletedCommand): string[] {
  const ofOptions = options.flatMap(({ names, value }) =>
    value === null ? [] : names.map((name) => [name, kindWord(value)] as const),
  )
  const ofArguments = list.map((kind, i) => [String(i), kindWord(kind)] as const)
  return [...ofOptions, ...ofArguments]
    .filter(([, word]) => word !== '')
    .map(([name, word]) => `  ${posixQuoted(`${path} ${name}`)}) echo ${posixQuoted(word)} ;;`)
}

function kindWord(kind: ValueKind): string {
  if (kind === 'anything') return ''
  if (kind === 'file') return 'file'
  return 'live' in kind ? `live:${kind.live}` : `words:${kind.words.join(' ')}`
}

/** What `command --option` looks like, for bash and zsh, where the option takes a value. */
export function valuedPatterns(tree: CompletedCommand): string[] {
  return [...valuedNames(tree).map((name) => `*' ${name}'`), ...valuedPlaces(tree).map(posixQuoted)]
}
