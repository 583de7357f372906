// What every part of the expansion makes nodes with.
import { type Problem, problemAt, show } from '../problem.ts'
import { formatPath, type ScalarNode, type SourceNode, toValue } from '../source-tree.ts'

export type Entries = Map<string, SourceNode>

/** A value at the place of another. */
export const scalar = (like: SourceNode, value: ScalarNode['value']): ScalarNode => ({
  kind: 'scalar',
  origin: like.origin,
  value,
})

/** The text of a node that is one. */
export function text(node: SourceNode | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined
}

/** A flat key and its long twin say different things. */
export function contradiction(flat: SourceNode, long: SourceNode): Problem {
  const there = formatPath(long.origin.path)
  const values = [toValue(flat), toValue(long)] as const
  const bothPlain = flat.kind === 'scalar' && long.kind === 'scalar'
  const message = bothPlain
    ? `${show(values[0])} contradicts ${there}, which is ${show(values[1])}`
    : `contradicts ${there}, which says something else`
  return problemAt(flat.origin, { message, hint: 'keep one of the two', value: values[0] })
}
