// Where a configuration file puts the admin API, and which token it asks for: read without judging the rest of the file,
// so that a running Frontdesk is found also while its file is being edited, and however long it is.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse } from 'jsonc-parser'
import { isModule } from '../config/adapters/module.ts'
import { expand } from '../config/expand.ts'
import { interpolate } from '../config/interpolate.ts'
import { parsePortAddress } from '../config/listen-address.ts'
import { ConfigError } from '../config/problem.ts'
import { readSource, readValue } from '../config/read-source.ts'
import { nodeAt, type ObjectNode } from '../config/source-tree.ts'

export interface AdminOfFile {
  readonly host: string
  readonly port: number
  readonly token: string | undefined
  /** Absolute; the file with the token. */
  readonly tokenFile: string | undefined
  /** Absolute; the certificate that the admin API shows. Undefined = it speaks no TLS. */
  readonly certificate: string | undefined
}

/** Null = it configures none. Rejects with ConfigError where the file cannot be read so far. */
export async function adminOfFile(path: string): Promise<AdminOfFile | null> {
  const root = await written(path)
  const tree = expand(interpolate(root, process.env, []) as ObjectNode, [])
  if (nodeAt(tree, ['admin'])?.kind !== 'object') return null
  const at = (...place: string[]): string | undefined => {
    const node = nodeAt(tree, ['admin', ...place])
    // An empty text is as good as none: ${VAR:-}.
    return node?.kind === 'scalar' && typeof node.value === 'string' && node.value !== '' ? node.value : undefined
  }
  const file = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : resolve(dirname(path), name)
  return {
    ...address(at('listen')),
    token: at('token'),
    tokenFile: file(at('token_file')),
    certificate: file(at('tls', 'cert')),
  }
}

async function written(path: string): Promise<ObjectNode> {
  if (isModule(path)) {
    const { readModule } = await import('../config/adapters/module.ts')
    return readValue((await readModule(path)).value, path)
  }
  try {
    return readSource(path, undefined)
  } catch (error) {
    const rest = error instanceof ConfigError ? salvage(path) : null
    if (rest === null) throw error
    return rest
  }
}

/** What can be read of JSON with mistakes, if it says where the admin API is. */
function salvage(path: string): ObjectNode | null {
  try {
    const value: unknown = parse(readFileSync(path, 'utf8'), [], { allowTrailingComma: true })
    const says = (value as { admin?: { listen?: unknown }; admin_port?: unknown } | null) ?? {}
    return typeof says.admin_port === 'number' || typeof says.admin?.listen === 'string' ? readValue(value, path) : null
  } catch {
    return null
  }
}

function address(listen: string | undefined): { host: string; port: number } {
  const usual = { host: '127.0.0.1', port: 8081 }
  if (listen === undefined) return usual
  try {
    const { host, port } = parsePortAddress(listen, { anyPort: true })
    return { host, port }
  } catch {
    return usual
  }
}
