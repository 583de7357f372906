// What has to be edited in a text so that it says something else: single values, what comes and what goes. All else stays.
import { isObject, isSame } from './places.ts'
import type { Json } from './types.ts'

export type EditPath = readonly (string | number)[]

/** A text that is being edited; paths are those of the text as it is at that moment. */
export interface TextEditor {
  /** Puts a value in the place of another, or a new key into an object. */
  set(path: EditPath, value: Json): void
  /** Of an object or a list. */
  remove(path: EditPath): void
  insert(list: EditPath, index: number, value: Json): void
  text(): string
  /** So many edits in one part of the document take about a second. */
  readonly mostEdits: number
}

/**
 * Edits until the text says `to` in place of `from`. A part in which too much changes is written anew: thousands of edits in a
 * large text would hold up everything else for minutes.
 */
export function edit(editor: TextEditor, from: Json, to: Json, path: EditPath = []): void {
  if (isSame(from, to)) return
  if (path.length === 1 && editsBetween(from, to, editor.mostEdits) > editor.mostEdits) {
    editor.set(path, to)
    return
  }
  // What becomes empty is written anew: there is nothing in it that could keep its place.
  if (Array.isArray(from) && Array.isArray(to) && to.length > 0) editList(editor, from, to, path)
  else if (isObject(from) && isObject(to) && Object.keys(to).length > 0) editObject(editor, from, to, path)
  else editor.set(path, to)
}

/** How many edits it takes; counted no further than just above `most`. */
function editsBetween(from: Json, to: Json, most: number): number {
  if (isSame(from, to)) return 0
  let pairs: readonly (readonly [Json | undefined, Json | undefined])[]
  if (Array.isArray(from) && Array.isArray(to)) pairs = aligned(from, to).map(({ old, next }) => [old, next])
  else if (isObject(from) && isObject(to)) {
    const keys = new Set([...Object.keys(from), ...Object.keys(to)])
    pairs = [...keys].map((key) => [own(from, key), own(to, key)])
  } else return 1
  let count = 0
  for (const [old, next] of pairs) {
    count += old === undefined || next === undefined ? 1 : editsBetween(old, next, most - count)
    if (count > most) return count
  }
  return count
}

const own = (object: Record<string, Json>, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined

function editObject(editor: TextEditor, from: Record<string, Json>, to: Record<string, Json>, path: EditPath): void {
  // New keys first: where all old ones go there is always one left.
  for (const [key, value] of Object.entries(to)) if (!Object.hasOwn(from, key)) editor.set([...path, key], value)
  for (const [key, value] of Object.entries(from)) {
    if (!Object.hasOwn(to, key)) editor.remove([...path, key])
    else edit(editor, value, to[key]!, [...path, key])
  }
}

function editList(editor: TextEditor, from: readonly Json[], to: readonly Json[], path: EditPath): void {
  const steps = aligned(from, to)
  let index = 0
  // What comes is put in before what goes is taken out, for the same reason as with keys.
  const gone: number[] = []
  for (const { old, next } of steps) {
    if (old !== undefined && next !== undefined) edit(editor, old, next, [...path, index])
    else if (next !== undefined) editor.insert(path, index, next)
    else gone.push(index)
    index++
  }
  for (const at of gone.reverse()) editor.remove([...path, at])
}

interface Step {
  readonly old?: Json
  readonly next?: Json
}

/** Which item has become which: by what each is known by, else by those that are the same at both ends. */
function aligned(from: readonly Json[], to: readonly Json[]): Step[] {
  const before = from.map(keyOf)
  const after = to.map(keyOf)
  if (isDistinct(before) && isDistinct(after)) {
    const [old, next] = [new Set(before), new Set(after)]
    const common = before.filter((key) => next.has(key))
    const there = after.filter((key) => old.has(key))
    if (common.join('\n') === there.join('\n')) return byKey({ from, to, before, after })
  }
  return byEnds(from, to)
}

const isDistinct = (keys: readonly string[]): boolean => new Set(keys).size === keys.length

function keyOf(item: Json): string {
  const key = isObject(item) ? (item.name ?? item.url ?? item) : item
  return typeof key === 'string' ? key : JSON.stringify(key)
}

interface Lists {
  readonly from: readonly Json[]
  readonly to: readonly Json[]
  readonly before: readonly string[]
  readonly after: readonly string[]
}

function byKey({ from, to, before, after }: Lists): Step[] {
  const there = new Set(after)
  const stays = new Set(before.filter((key) => there.has(key)))
  const steps: Step[] = []
  let next = 0
  before.forEach((key, i) => {
    if (!stays.has(key)) {
      steps.push({ old: from[i]! })
      return
    }
    for (; after[next] !== key; next++) steps.push({ next: to[next]! })
    steps.push({ old: from[i]!, next: to[next++]! })
  })
  for (; next < to.length; next++) steps.push({ next: to[next]! })
  return steps
}

function byEnds(from: readonly Json[], to: readonly Json[]): Step[] {
  const least = Math.min(from.length, to.length)
  let head = 0
  while (head < least && isSame(from[head], to[head])) head++
  let tail = 0
  while (tail < least - head && isSame(from.at(-1 - tail), to.at(-1 - tail))) tail++
  const pair = (old: Json, i: number): Step => ({ old, next: to[i]! })
  const middle = Math.max(from.length, to.length) - head - tail
  const changed = Array.from({ length: middle }, (_, i): Step => {
    const [old, next] = [head + i, head + i]
    return {
      ...(old < from.length - tail && { old: from[old]! }),
      ...(next < to.length - tail && { next: to[next]! }),
    }
  })
  const end = tail === 0 ? [] : from.slice(-tail)
  return [
    ...from.slice(0, head).map(pair),
    ...changed,
    ...end.map((old, i) => ({ old, next: to[to.length - tail + i]! })),
  ]
}
