// What an object is made of, private fields and closures too, as one hash for each part: tells two objects that should be alike
// apart, and where.
import { createHash } from 'node:crypto'
import { Session } from 'node:inspector'

type Props = { name: string; value?: { objectId?: string; type: string; value?: unknown; description?: string } }[]

const slot = globalThis as unknown as { insideView: unknown }

/** One part: its own hash, and the parts that it consists of. */
export interface InsideView {
  readonly hash: string
  readonly text: string
  readonly parts: ReadonlyMap<string, InsideView>
}

/** What is Node's. */
const FOREIGN: ReadonlySet<string> = new Set([
  'Timeout',
  'Immediate',
  'SecureContext',
  'Agent',
  'AbortSignal',
  'AbortController',
])

export class InsideViewer {
  readonly #session = new Session()
  readonly #seen = new Map<object, InsideView | null>()
  /** Of objects that the inspector has named already. */
  readonly #ids = new Map<object, string>()
  readonly #skips: (key: string, value: unknown) => boolean

  /** `skips`: what is not looked into. */
  constructor(skips: (key: string, value: unknown) => boolean) {
    this.#skips = skips
    this.#session.connect()
  }

  close(): void {
    this.#session.disconnect()
  }

  view(value: unknown): InsideView {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null)
      return leaf(`${typeof value} ${String(value)}`)
    const known = this.#seen.get(value)
    if (known === null) return leaf('(again)')
    if (known !== undefined) return known
    this.#seen.set(value, null)
    const parts = new Map<string, InsideView>()
    for (const [key, part] of this.#partsOf(value)) if (!this.#skips(key, part)) parts.set(key, this.view(part))
    const kind = typeof value === 'function' ? String(value) : (value.constructor?.name ?? 'null')
    const made = node(
      kind,
      value instanceof Set || value instanceof Map ? inNoOrder(parts, value instanceof Map) : parts,
    )
    this.#seen.set(value, made)
    return made
  }

  *#partsOf(value: object): Generator<[string, unknown]> {
    if (Buffer.isBuffer(value)) {
      yield ['bytes', value.toString('hex')]
      return
    }
    // Memory that threads share is not theirs.
    if (ArrayBuffer.isView(value) || value instanceof SharedArrayBuffer || value instanceof Promise) return
    if (value instanceof RegExp) {
      yield ['regexp', String(value)]
      return
    }
    let at = 0
    if (value instanceof Map) {
      for (const [key, part] of value) yield [typeof key === 'object' ? `map ${at++}` : `map ${String(key)}`, part]
      return
    }
    if (value instanceof Set) {
      for (const part of value) yield [`set ${at++}`, part]
      return
    }
    const prototype: unknown = Object.getPrototypeOf(value)
    if (FOREIGN.has(value.constructor?.name ?? '')) return
    if (typeof value !== 'function') {
      for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
        if ('value' in property) yield [key, property.value]
      }
    }
    if (prototype === Object.prototype || Array.isArray(value)) return
    // Asking takes long.
    if (typeof value === 'function' ? alone.has(value) || !hasSource(value) : !hasPrivateFields(value)) return
    yield* this.#hidden(value)
  }

  /** Private fields; of a function, the variables of the functions around it. */
  *#hidden(value: object): Generator<[string, unknown]> {
    const id = this.#idOf(value)
    const own = this.#post('Runtime.getProperties', { objectId: id, ownProperties: true })
    yield* this.#resolved(id, (own.privateProperties ?? []) as Props, '')
    if (typeof value === 'function') {
      const scopes = (own.internalProperties as Props).find(({ name }) => name === '[[Scopes]]')
      if (scopes?.value?.objectId === undefined) return
      const list = this.#post('Runtime.getProperties', { objectId: scopes.value.objectId, ownProperties: true })
        .result as Props
      const closures = list.filter(({ value: scope }) => /^(Closure|Block|With)/.test(scope?.description ?? ''))
      if (closures.length === 0) alone.add(value)
      for (const { name, value: scope } of closures) {
        const variables = this.#post('Runtime.getProperties', { objectId: scope!.objectId, ownProperties: true })
          .result as Props
        yield* this.#resolved(id, variables, `scope ${name} `)
      }
    }
  }

  #idOf(value: object): string {
    const known = this.#ids.get(value)
    if (known !== undefined) return known
    slot.insideView = value
    return this.#post('Runtime.evaluate', { expression: 'insideView' }).result.objectId
  }

  /** The values themselves, all of them in one go. `id`: of any object. */
  *#resolved(id: string, list: Props, prefix: string): Generator<[string, unknown]> {
    const objects = list.filter(({ value }) => value?.objectId !== undefined)
    slot.insideView = []
    if (objects.length > 0) {
      this.#post('Runtime.callFunctionOn', {
        objectId: id,
        functionDeclaration: 'function (...values) { globalThis.insideView = values }',
        arguments: objects.map(({ value }) => ({ objectId: value!.objectId })),
      })
    }
    const values = slot.insideView as object[]
    objects.forEach(({ value }, at) => {
      this.#ids.set(values[at]!, value!.objectId!)
    })
    for (const one of list) {
      const at = objects.indexOf(one)
      yield [`${prefix}${one.name}`, at >= 0 ? values[at] : (one.value?.value ?? one.value?.description)]
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers of the inspector differ by method
  #post(method: string, params: object): any {
    let answer: unknown
    this.#session.post(method, params, (error, result) => {
      if (error !== null) throw error
      answer = result
    })
    return answer
  }
}

/** Functions that are in no other one. */
const alone = new WeakSet<object>()

/** Not bound, and not Node's. */
const hasSource = (value: object): boolean => !String(value).endsWith('{ [native code] }')

const classes = new Map<unknown, boolean>()

/** Whether a class that it is of has such: its source says so. */
function hasPrivateFields(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === null || prototype === Object.prototype) return false
  let has = classes.get(prototype)
  if (has === undefined) {
    has = /#[\w$]/.test(String(prototype.constructor)) || hasPrivateFields(prototype)
    classes.set(prototype, has)
  }
  return has
}

/** The first place where they differ, or null. */
export function differenceOf(a: InsideView, b: InsideView, path = ''): string | null {
  if (a.hash === b.hash) return null
  if (a.text !== b.text) return `${path}: ${a.text.slice(0, 200)} ≠ ${b.text.slice(0, 200)}`
  for (const key of new Set([...a.parts.keys(), ...b.parts.keys()])) {
    const [left, right] = [a.parts.get(key), b.parts.get(key)]
    if (left === undefined || right === undefined)
      return `${path}.${key}: only in ${left === undefined ? 'the second' : 'the first'}`
    const found = differenceOf(left, right, `${path}.${key}`)
    if (found !== null) return found
  }
  return `${path}: in another order`
}

const leaf = (text: string): InsideView => ({ hash: text, text, parts: new Map() })

/** Members of a set go by what they are, those of a map by their keys. */
function inNoOrder(parts: ReadonlyMap<string, InsideView>, isMap: boolean): ReadonlyMap<string, InsideView> {
  if (isMap) return new Map([...parts].sort(([a], [b]) => (a < b ? -1 : 1)))
  const members = [...parts.values()].sort((a, b) => (a.hash < b.hash ? -1 : 1))
  return new Map(members.map((member, at) => [`member ${at}`, member]))
}

function node(text: string, parts: ReadonlyMap<string, InsideView>): InsideView {
  const hash = createHash('sha1').update(text)
  for (const [key, { hash: of }] of parts) hash.update(`\n${key}=${of}`)
  return { hash: hash.digest('hex'), text, parts }
}
