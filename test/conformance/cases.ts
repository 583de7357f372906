// Reads the conformance cases: the text files under requests/ and responses/, in the form README.md explains.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Expectation = 'reject' | 'normalise' | 'accept'

/** One case as its file states it. */
export interface Case {
  readonly name: string
  /** File it stands in, without folder and ending. */
  readonly group: string
  readonly note: string
  readonly source: string
  readonly expect: Expectation
  /** A lenient proxy lives with it; we do not. */
  readonly strict: boolean
  /** What goes on the wire, latin1. */
  readonly bytes: string
  readonly forbid: readonly RegExp[]
  readonly require: readonly RegExp[]
  /** All other `key: value` lines. */
  readonly more: Readonly<Record<string, string>>
}

const KNOWN = {
  requests: ['upstream', 'body', 'tail'],
  responses: ['method', 'client', 'then', 'status', 'body'],
} as const

/** All cases of one kind, in the order of their files. */
export function readCases(kind: keyof typeof KNOWN): Case[] {
  const folder = join(import.meta.dirname, kind)
  const cases = globSync('*.txt', { cwd: folder })
    .sort()
    .flatMap((file) => parseCases(readFileSync(join(folder, file), 'utf8'), file.replace('.txt', ''), KNOWN[kind]))
  const names = new Set(cases.map(({ name }) => name))
  if (names.size !== cases.length) throw new Error('two cases have the same name')
  return cases
}

/** Parses one file. */
export function parseCases(text: string, group: string, keys: readonly string[]): Case[] {
  const cases: Case[] = []
  let block: string[] = []
  const flush = (): void => {
    if (block.length > 0) cases.push(parseCase(block, group, keys))
    block = []
  }
  for (const line of text.split('\n')) {
    if (line.startsWith('== ')) {
      flush()
      block.push(line.slice(3))
    } else if (line !== '' && !line.startsWith('#')) block.push(line)
  }
  flush()
  return cases
}

function parseCase([name = '', ...lines]: readonly string[], group: string, keys: readonly string[]): Case {
  const more: Record<string, string> = {}
  const forbid: RegExp[] = []
  const require: RegExp[] = []
  let bytes = ''
  for (const line of lines) {
    const meta = /^([a-z]+):(?: (.*))?$/.exec(line)
    const value = meta?.[2] ?? ''
    if (line.startsWith('>')) bytes += `${decodeEscapes(line.slice(2))}\r\n`
    else if (line.startsWith('+')) bytes += decodeEscapes(line.slice(2))
    else if (meta === null) throw new Error(`${group} ${name}: ${line}`)
    else if (meta[1] === 'forbid') forbid.push(regexp(value))
    else if (meta[1] === 'require') require.push(regexp(value))
    else more[meta[1] ?? ''] = meta[1] === 'body' ? decodeEscapes(value) : value
  }
  const { note = '', source = '', expect = '', ...rest } = more
  const [expectation, level] = expect.split(' ')
  const wrong = Object.keys(rest).find((key) => !keys.includes(key))
  if (!isExpectation(expectation) || (level !== undefined && level !== 'strict') || wrong !== undefined) {
    throw new Error(`${group} ${name}: expect "${expect}", unknown key ${wrong}`)
  }
  return {
    name,
    group,
    note,
    source,
    expect: expectation,
    strict: level === 'strict',
    bytes,
    forbid,
    require,
    more: rest,
  }
}

function isExpectation(word: string | undefined): word is Expectation {
  return word === 'reject' || word === 'normalise' || word === 'accept'
}

function regexp(literal: string): RegExp {
  const match = /^\/(.+)\/([ims]*)$/.exec(literal)
  if (match === null) throw new Error(`not a regular expression: ${literal}`)
  return new RegExp(match[1] ?? '', match[2])
}

/** Turns the escapes of a case into bytes (latin1): \r \n \t \0 \\ \xHH, and \{N text} for `text` N times, # counting from 0. */
export function decodeEscapes(text: string): string {
  let out = ''
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '\\') {
      out += text[at]
      continue
    }
    const repeat = /^\{(\d+) ((?:[^{}\\]|\\[^{]|\\\{\d+ (?:[^{}\\]|\\[^{])*\})*)\}/.exec(text.slice(at + 1))
    const hex = /^x([0-9a-f]{2})/i.exec(text.slice(at + 1))
    if (repeat !== null) out += repeated(Number(repeat[1]), decodeEscapes(repeat[2] ?? ''))
    else if (hex !== null) out += String.fromCharCode(Number.parseInt(hex[1] ?? '', 16))
    else out += simple(text[at + 1] ?? '')
    at += repeat?.[0].length ?? hex?.[0].length ?? 1
  }
  return out
}

function repeated(times: number, text: string): string {
  if (!text.includes('#')) return text.repeat(times)
  return Array.from({ length: times }, (_, n) => text.replaceAll('#', String(n))).join('')
}

function simple(letter: string): string {
  const meaning = { r: '\r', n: '\n', t: '\t', 0: '\0', '\\': '\\' }[letter]
  if (meaning === undefined) throw new Error(`unknown escape \\${letter}`)
  return meaning
}
