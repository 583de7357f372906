// Programs of other people that a test needs: where one is missing the test is skipped and says so, except in CI, which
// installs them all and sets FRONTDESK_REQUIRE_PEERS.
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where servers lie that are not for every user. */
const more = ['/usr/sbin', '/sbin', '/usr/local/sbin']

/** The path of a program, or null. */
export function findProgram(name: string): string | null {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...more]) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // The next folder.
    }
  }
  return null
}

/** Why a test that needs these programs is skipped; false = they are there. Throws where none may be missing. */
export function skipWithout(...names: readonly string[]): string | false {
  const missing = names.filter((name) => findProgram(name) === null)
  return missing.length === 0 ? false : skipFor(missing.join(', '))
}

/** As `skipWithout` for a file, such as a module of a program. */
export function skipWithoutFile(path: string, what: string): string | false {
  return existsSync(path) ? false : skipFor(what)
}

function skipFor(what: string): string {
  const reason = `not installed: ${what}`
  if (process.env.FRONTDESK_REQUIRE_PEERS === '1') throw new Error(reason)
  return reason
}
