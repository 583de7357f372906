// A file, a text or a value → source tree; the ending of its name says how a text is written.
import { readFileSync } from 'node:fs'
import { parseJson } from './adapters/json.ts'
import { parseYaml } from './adapters/yaml.ts'
import { ConfigError, problemAt, sortProblems } from './problem.ts'
import { fromValue, type ObjectNode, type Source, type SourceNode } from './source-tree.ts'

/** Reads (unless the text is given) and parses. Throws `ConfigError` if that fails, or if the root is no object. */
export function readSource(name: string, given: string | undefined): ObjectNode {
  const source: Source = { name, text: (given ?? readText(name)).replace(/^\uFEFF/, '') }
  const parsed = /\.ya?ml$/i.test(name) ? parseYaml(source) : parseJson(source)
  if (Array.isArray(parsed)) throw new ConfigError(sortProblems(parsed))
  return object(parsed)
}

/** A configuration that a program wrote, or a module exports: it stands in no text. Throws `ConfigError` if it is no object, or without end. */
export function readValue(value: unknown, name = 'configuration'): ObjectNode {
  const source: Source = { name, text: '' }
  if (isDeeper(value, maxDepth)) {
    const origin = { source, path: [], at: -1, keyAt: -1 }
    throw new ConfigError([
      problemAt(origin, {
        message: `nested more than ${maxDepth} levels deep`,
        hint: 'does a part of it hold itself?',
      }),
    ])
  }
  return object(fromValue(value, source, []))
}

function object(node: SourceNode): ObjectNode {
  if (node.kind === 'object') return node
  throw new ConfigError([
    problemAt(node.origin, { message: 'the configuration must be one object', hint: 'write { … }' }),
  ])
}

/** No configuration needs more. */
const maxDepth = 100

const isDeeper = (value: unknown, depth: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (depth === 0 || Object.values(value).some((child) => isDeeper(child, depth - 1)))

const failures: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  ENOENT: [
    'there is no such file',
    'name one with --config, or start without: frontdesk proxy --to http://localhost:3000',
  ],
  ENOTDIR: ['there is no such file', 'a part of its path is not a directory'],
  EISDIR: ['is a directory', 'name the file in it'],
  EACCES: ['may not be read', 'change its permissions, or run as its owner'],
}

/** Throws `ConfigError` if it cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code = '', message: text } = error as NodeJS.ErrnoException
    const [message, hint] = failures[code] ?? [`cannot be read (${code === '' ? text : code})`, null]
    throw new ConfigError([{ file: path, line: 0, column: 0, path: '', message, hint, value: undefined }])
  }
}
