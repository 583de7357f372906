// A file or a text → source tree, by the ending of its name.
import { readFileSync } from 'node:fs'
import { parseJson } from './adapters/json.ts'
import { parseYaml } from './adapters/yaml.ts'
import { ConfigError, problemAt, sortProblems } from './problem.ts'
import type { ObjectNode, Source } from './source-tree.ts'

/** Reads (unless the text is given) and parses. Throws `ConfigError` if that fails, or if the root is no object. */
export function readSource(name: string, given: string | undefined): ObjectNode {
  const source: Source = { name, text: (given ?? readText(name)).replace(/^\uFEFF/, '') }
  const parsed = /\.ya?ml$/i.test(name) ? parseYaml(source) : parseJson(source)
  if (Array.isArray(parsed)) throw new ConfigError(sortProblems(parsed))
  if (parsed.kind === 'object') return parsed
  throw new ConfigError([
    problemAt(parsed.origin, { message: 'the configuration must be one object', hint: 'write { … }' }),
  ])
}

const failures: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  ENOENT: [
    'there is no such file',
    'name one with --config, or start without: frontdesk proxy --to http://localhost:3000',
  ],
  ENOTDIR: ['there is no such file', 'a part of its path is not a directory'],
  EISDIR: ['is a directory', 'name the file in it'],
  EACCES: ['may not be read', 'change its permissions, or run as its owner'],
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code = '', message: text } = error as NodeJS.ErrnoException
    const [message, hint] = failures[code] ?? [`cannot be read (${code === '' ? text : code})`, null]
    throw new ConfigError([{ file: path, line: 0, column: 0, path: '', message, hint, value: undefined }])
  }
}
