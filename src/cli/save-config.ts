// Writes what was changed while Frontdesk ran into its configuration file, over the admin API.
import { type AdminTarget, callAdmin } from './admin-client.ts'
import { RefusedError } from './admin-refusal.ts'
import { CliError } from './exit-code.ts'

/** What POST /config/save answers. */
export interface SavedConfig {
  readonly file: string
  readonly changes: readonly string[]
  readonly revision: number
}

/** After a change: what goes wrong now leaves it in force. */
export async function saveConfig(target: AdminTarget): Promise<SavedConfig> {
  try {
    const { body } = await callAdmin(target, { method: 'POST', path: '/config/save', expects: 'changes' })
    return body as SavedConfig
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    throw new CliError(`the change is in force and survives a restart, but is not in the file: ${error.message}`, {
      exitCode: error.exitCode,
      hint: `${error.hint}${error.hint === '' ? '' : '\n'}then "frontdesk config save"`,
    })
  }
}
