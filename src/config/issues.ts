// zod's issues → problems: in plain words, at their place in the text, with a suggestion where one is near.
import type { z } from 'zod'
import { closest } from '../util/edit-distance.ts'
import { type Problem, problemAt, show } from './problem.ts'
import { isMapInsteadOfList, listLike, objectLike, stringLike } from './shape-examples.ts'
import { nearest, nodeAt, type Path, type SourceNode, toValue } from './source-tree.ts'

type Issue = z.core.$ZodIssue

/** One thing zod found. */
export interface Finding {
  readonly path: Path
  /** What to leave out so that the rest can be judged. */
  readonly cut: Path
  readonly problem: Problem
}

/** `knownKeys` lists the keys of the object at a path, for suggestions. */
export function findings(issues: readonly Issue[], tree: SourceNode, knownKeys: (path: Path) => string[]): Finding[] {
  return issues.flatMap((issue) => fromIssue(issue, [], tree, knownKeys))
}

function fromIssue(issue: Issue, prefix: Path, tree: SourceNode, knownKeys: (path: Path) => string[]): Finding[] {
  const path = [...prefix, ...(issue.path as Path)]
  if (issue.code === 'invalid_union') {
    const branch = likelyBranch(issue.errors)
    if (branch !== null && !isMapInsteadOfList(toPlain(tree, path), path))
      return branch.flatMap((inner) => fromIssue(inner, path, tree, knownKeys))
  }
  if (issue.code === 'invalid_key') {
    const inner = issue.issues[0]
    return [finding(tree, path, { message: inner?.message ?? issue.message, atKey: true })]
  }
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(path)
    return issue.keys.map((key) => {
      const there = [...path, key]
      const words =
        otherFormOfTls(key, path, toPlain(tree, path)) ??
        conditionBesideMatch(key, path, {
          known,
          conditions: knownKeys([...path, 'match']),
          value: toPlain(tree, there),
        }) ??
        otherKeyOfCache(key, path) ??
        unknownKey(key, known)
      return { ...finding(tree, there, words), cut: there }
    })
  }
  return [finding(tree, path, explain(issue, toPlain(tree, path), path))]
}

/** The one branch of a union that the value has the type of, if there is exactly one. */
function likelyBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | null {
  const likely = branches.filter((issues) => !isOfOtherType(issues))
  const listed = likely.find((issues) => issues.some(isOfList))
  if (listed !== undefined) return listed
  // A constant is meant by who writes it: whoever writes something else means the other form.
  const others = likely.filter((issues) => !issues.some(isOfConstant))
  return others.length === 1 ? others[0]! : null
}

const isOfConstant = (issue: Issue): boolean => issue.code === 'invalid_value' && issue.path.length === 0

/** One of several words is meant, whatever else might stand there. */
const isOfList = (issue: Issue): boolean =>
  issue.code === 'invalid_value' && issue.path.length === 0 && issue.values.length > 1

function isOfOtherType(issues: readonly Issue[]): boolean {
  return issues.some((issue) => {
    if (issue.path.length > 0) return false
    return issue.code === 'invalid_type' || (issue.code === 'invalid_union' && issue.errors.every(isOfOtherType))
  })
}

interface Words {
  readonly message: string
  readonly hint?: string | null
  readonly atKey?: boolean
}

function finding(tree: SourceNode, path: Path, words: Words): Finding {
  const { node, missing } = nearest(tree, path)
  return {
    path,
    cut: cutPath(path),
    problem: problemAt(node.origin, { ...words, missing, value: toPlain(tree, path) }),
  }
}

/** A wrong part of a list's element takes the whole element with it. */
function cutPath(path: Path): Path {
  const element = path.findIndex((step) => typeof step === 'number')
  return element === -1 ? path : path.slice(0, element + 1)
}

function toPlain(tree: SourceNode, path: Path): unknown {
  const node = nodeAt(tree, path)
  return node === undefined ? undefined : toValue(node)
}

const tlsOfFile = new Set(['certificates', 'ciphers', 'alpn', 'session_tickets', 'ticket_rotation', 'client_auth'])

/** Keys that the other of the two forms of "tls" has: that of the file, and that of a listener. */
function otherFormOfTls(key: string, path: Path, tls: unknown): Words | null {
  const atKey = true
  if (path.length === 1 && path[0] === 'tls' && tlsOfFile.has(key)) {
    const rest = key === 'certificates' ? '' : `, "${key}": …`
    const form = `"listeners": [{"name": "web", "listen": ":8443", "tls": {"certificates": […]${rest}}}]`
    return { message: 'belongs to "tls" of a listener', hint: `write the listener out: ${form}`, atKey }
  }
  if (path.length !== 3 || path[0] !== 'listeners' || path[2] !== 'tls') return null
  if (key === 'cert' || key === 'key') {
    const { cert = 'server.pem', key: own = 'server.key' } = tls as { cert?: unknown; key?: unknown }
    const pair = `{"cert": ${JSON.stringify(cert)}, "key": ${JSON.stringify(own)}}`
    return { message: 'belongs to one of the certificates', hint: `write "certificates": [${pair}]`, atKey }
  }
  if (key === 'port') return { message: 'is in "listen" of the listener', hint: 'remove it', atKey }
  if (key !== 'redirect_http') return null
  return { message: 'is another listener here', hint: 'give the one for port 80 "redirect_https": true', atKey }
}

const keysOfStore = new Set(['memory', 'max_object', 'disk', 'path', 'size', 'max_size'])

/** There is one store, and what it may take is not said by each route. */
function otherKeyOfCache(key: string, path: Path): Words | null {
  if (path.at(-1) !== 'cache' || !keysOfStore.has(key)) return null
  const example = key === 'path' ? '{"disk": {"path": …}}' : `{"${/size$/.test(key) ? 'memory' : key}": …}`
  return {
    message: 'belongs to the store, which all routes share',
    hint: `write "cache_store": ${example}`,
    atKey: true,
  }
}

interface RouteKey {
  readonly known: readonly string[]
  readonly conditions: readonly string[]
  readonly value: unknown
}

/** What a route takes is said in its `match`, and many a proxy has it beside. */
function conditionBesideMatch(key: string, path: Path, { known, conditions, value }: RouteKey): Words | null {
  if (path.length !== 2 || path[0] !== 'routes') return null
  if (!conditions.includes(key) || closest(key, known) !== null) return null
  const shown = typeof value === 'string' && value.length <= 64 ? JSON.stringify(value) : '…'
  return { message: 'belongs in "match"', hint: `write "match": {"${key}": ${shown}}`, atKey: true }
}

function unknownKey(key: string, known: readonly string[]): Words {
  // Objects of several forms, such as sticky: the key is right, but not with this `by`.
  if (known.includes(key))
    return { message: 'does not belong to this form of the object', hint: 'remove it', atKey: true }
  const guess = closest(key, known)
  if (guess !== null) return { message: 'unknown key', hint: `did you mean "${guess}"?`, atKey: true }
  const list = known.length > 0 && known.length <= 16 ? `; the keys here are ${known.join(', ')}` : ''
  return { message: 'unknown key', hint: `remove it${list}`, atKey: true }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'a boolean',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  function: 'a function',
}

function explain(issue: Issue, value: unknown, path: Path): Words {
  const shown = show(value, path)
  if (value === undefined) {
    // What a schema says of its own is what to do about it.
    const own = issue.code === 'custom' || (issue.code === 'invalid_type' && !isPlain(issue))
    const hint = issue.code === 'invalid_value' ? useOneOf(issue.values.map(String)) : own ? issue.message : null
    return { message: 'is needed but missing', hint }
  }
  if (issue.code === 'invalid_type') {
    return wrongKind(shown, value, expectation(issue, value, path))
  }
  if (issue.code === 'invalid_value') return notOneOf(shown, value, issue.values.map(String), path)
  if (issue.code === 'invalid_union') return unionWords(issue, value, path)
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    if (issue.origin === 'number' || issue.origin === 'int')
      return { message: `${shown} is out of range`, hint: issue.message }
    return {
      message: issue.origin === 'array' ? issue.message : `${shown} has the wrong length`,
      hint: issue.origin === 'array' ? null : issue.message,
    }
  }
  if (issue.code === 'invalid_format') return { message: `${shown} ${issue.message}` }
  if (issue.code === 'custom' && issue.message.startsWith('is ')) return { message: `${shown} ${issue.message}` }
  return { message: issue.message }
}

/** zod's own sentence. */
const isPlain = (issue: Issue): boolean => issue.message.startsWith('Invalid input')

function expectation(issue: Issue & { code: 'invalid_type' }, value: unknown, path: Path): string {
  // A sentence that begins with 'use' is about the key that tells forms apart, and here there is no object at all.
  const isAboutKey = issue.expected === 'object' && issue.message.startsWith('use ')
  if (!isPlain(issue) && !isAboutKey) return issue.message
  const kind = kinds[issue.expected] ?? issue.expected
  if (kind === 'a list' && path.at(-1) === 'accept_proxy_protocol') {
    return 'a list of those who send it, such as ["10.0.0.0/8"]'
  }
  if (kind === 'a list') return listLike(value, path)
  if (kind === 'a string') return stringLike(value, path)
  return kind === 'an object' ? objectLike(value, path) : kind
}

function wrongKind(shown: string, value: unknown, expected: string): Words {
  const kind = kindOf(value, expected)
  const found = value === null || shown === kind ? `${shown} cannot stand here` : `${shown} is ${kind}`
  return { message: `${found}; expected ${expected}` }
}

function kindOf(value: unknown, expected: string): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number') {
    return !Number.isInteger(value) && expected.includes('a whole number') ? 'not a whole number' : 'a number'
  }
  return kinds[typeof value] ?? typeof value
}

/** What people write for the protocol of a listener that has TLS. */
const protocolHints: Readonly<Record<string, string>> = {
  https: 'use "http" with "tls"',
  tls: 'use "tcp" with "tls" to end TLS here, or "tls-passthrough" to pass it on',
  ssl: 'use "tcp" with "tls" to end TLS here, or "tls-passthrough" to pass it on',
}

function notOneOf(shown: string, value: unknown, values: readonly string[], path: Path): Words {
  if (typeof value === 'number' && values.includes(String(value))) {
    return { message: `${shown} is a number; expected a string`, hint: `write it in quotes: "${value}"` }
  }
  const known = path.at(-1) === 'protocol' && path[0] === 'listeners' ? protocolHints[String(value)] : undefined
  if (known !== undefined) return { message: `${shown} is not known here`, hint: known }
  const guess = typeof value === 'string' ? closest(value, values) : null
  if (guess !== null) return { message: `${shown} is not known here`, hint: `did you mean "${guess}"?` }
  return { message: `${shown} is not known here`, hint: useOneOf(values) }
}

const useOneOf = (values: readonly string[]): string => `use ${values.map((value) => `"${value}"`).join(', ')}`

function unionWords(issue: Issue & { code: 'invalid_union' }, value: unknown, path: Path): Words {
  const shown = show(value, path)
  if (issue.message.startsWith('use ')) return { message: `${shown} is not known here`, hint: issue.message }
  if (!isPlain(issue)) return wrongKind(shown, value, issue.message)
  const expected = issue.errors.flatMap((branch) => {
    const first = branch[0]
    return first?.code === 'invalid_type' ? [expectation(first, value, path)] : []
  })
  return wrongKind(shown, value, [...new Set(expected)].join(' or '))
}
