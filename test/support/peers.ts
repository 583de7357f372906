// Programs of other people that a test needs: where one is missing the test is skipped and says so, except in CI, which
// installs them all and sets FRONTDESK_REQUIRE_PEERS.
import { accessSync, constants } from 'node:fs'
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
  if (missing.length === 0) return false
  const reason = `not installed: ${missing.join(', ')}`
  if (process.env.FRONTDESK_REQUIRE_PEERS === '1') throw new Error(reason)
  return reason
}
