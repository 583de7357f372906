// The version, read from the package.json of the repository or of the published package.
import { readFileSync } from 'node:fs'

/** The nearest package.json above this file that is Frontdesk's own. */
export function readVersion(): string {
  for (const up of ['../package.json', '../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        name?: string
        version?: string
      }
      if (found.name === 'frontdesk' && found.version !== undefined) return found.version
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return 'unknown'
}
