// What users may import: the entries that `exports` of package.json names, as sources here and as files of the package.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

export interface Entry {
  /** As in `exports`: `.`, `./testing`. */
  readonly path: string
  /** As users write it: `frontdesk/testing`. */
  readonly specifier: string
  /** Below src/ and, with another ending, below the package: `testing/index`. */
  readonly file: string
}

/** In the order of package.json; those that have no source (yet) are left out. */
export function publicEntries(): Entry[] {
  const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    name: string
    exports: Record<string, string>
  }
  return Object.entries(exports).flatMap(([path, source]) => {
    const file = /^\.\/src\/(.+)\.ts$/.exec(source)?.[1]
    if (file === undefined || !existsSync(join(root, source))) return []
    return [{ path, specifier: name + path.slice(1), file }]
  })
}
