// Where the parts of a route stand in the file, whose short forms leave out objects and lists.
import { nodeAt, type Path, type SourceNode } from '../source-tree.ts'

/** The place of one value of a list that may be written as a single value. */
export function itemPath(tree: SourceNode, list: Path, i: number): Path {
  return nodeAt(tree, list)?.kind === 'array' ? [...list, i] : list
}

/** The place of a key of an object that may be written as a single value. */
export function keyPath(tree: SourceNode, object: Path, key: string): Path {
  const node = nodeAt(tree, object)
  return node?.kind === 'object' && node.entries.has(key) ? [...object, key] : object
}

/** The place of a target of a split. */
export function targetPath(tree: SourceNode, route: Path, i: number): Path {
  const split: Path = [...route, 'split']
  return nodeAt(tree, split)?.kind === 'array' ? [...split, i] : [...split, 'to', i]
}
