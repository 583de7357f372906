// What a route says of caching is laid over what the top level says of it: where its settings come from follows that.
import type { ObjectNode, SourceNode } from '../source-tree.ts'

/** The node that stands for `cache` of a route: its own keys over those of the top level. Undefined = nobody says anything. */
export function cacheNode(own: SourceNode | undefined, root: SourceNode | undefined): SourceNode | undefined {
  const top = root?.kind === 'object' ? root.entries.get('cache') : undefined
  if (own?.kind !== 'object') return top?.kind === 'object' ? top : (own ?? top)
  const below = top?.kind === 'object' ? top.entries : new Map<string, SourceNode>()
  return { ...own, entries: new Map([...below, ...own.entries]) } satisfies ObjectNode
}
