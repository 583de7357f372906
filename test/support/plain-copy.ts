// A program and the sources it imports as plain JavaScript in a folder: it starts three times as fast as from TypeScript,
// which counts where a test starts it hundreds of times.
import { readFile, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'

const IMPORT = /(from\s*)'(\.[^']+\.ts)'/g

/** Copies `entry` and what it imports by relative path; gives the path of its copy. */
export async function plainCopy(entry: URL, folder: string): Promise<string> {
  const names = new Map<string, string>()
  const copy = async (file: URL): Promise<string> => {
    const known = names.get(file.href)
    if (known !== undefined) return known
    const name = `${names.size}.mjs`
    names.set(file.href, name)
    const code = stripTypeScriptTypes(await readFile(file, 'utf8'))
    const imports = new Map<string, string>()
    for (const [, , path] of code.matchAll(IMPORT)) imports.set(path!, await copy(new URL(path!, file)))
    const plain = code.replace(IMPORT, (_, from: string, path: string) => `${from}'./${imports.get(path)}'`)
    await writeFile(join(folder, name), plain)
    return name
  }
  return join(folder, await copy(entry))
}
