// Where the parts of a route stand in the file, whose short forms leave out objects and lists.

import { routeNames } from '../finish-routes.ts'
import { formatPath, nodeAt, type Path, type SourceNode } from '../source-tree.ts'
import type { Check } from './check.ts'

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

/** Where a route stands in the file: `routes[2]`. Those before it that are wrong have been taken out by now. */
export const writtenPlace = (check: Pick<Check, 'origin'>, i: number): string =>
  formatPath(check.origin(['routes', i]).path)

/** The names of the routes, as they will be once the file is right. */
export function namesOf(check: Pick<Check, 'config' | 'origin'>): string[] {
  const { routes } = check.config
  return routeNames(routes, (i) => Number(check.origin(['routes', i]).path.at(-1)))
}
