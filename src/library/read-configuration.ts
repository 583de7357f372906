// What a program gives as its configuration, an object or the name of a file, checked and completed.
import type { LoadedConfig } from '../config/load.ts'
import { loadWithPlugins } from '../config/load-with-plugins.ts'
import type { FrontdeskConfig } from '../core/frontdesk-config.ts'
import type { ConfigFile } from './frontdesk.ts'

/** Rejects with ConfigError, every problem in it. */
export function readConfiguration(config: FrontdeskConfig | ConfigFile): Promise<LoadedConfig> {
  const from = isFile(config) ? { path: config.file } : { value: asEmbedded(config) }
  return loadWithPlugins({ ...from, allowAnyPort: true, defaultWorkers: 0 })
}

/** Whatever else is in it is a mistake that the schema tells. */
export const isFile = (config: FrontdeskConfig | ConfigFile): config is ConfigFile =>
  typeof config === 'object' &&
  config !== null &&
  'file' in config &&
  typeof config.file === 'string' &&
  Object.keys(config).length === 1

/** A program opens an admin API only where it says so, and may ask for any free port in the flat form too. */
function asEmbedded(config: FrontdeskConfig): FrontdeskConfig {
  // For the loader `undefined` is no configuration at all, which may be right.
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return (config ?? null) as FrontdeskConfig
  const given = withAnyAdminPort(withAnyPort(config))
  return given.admin === undefined && given.admin_port === undefined ? { ...given, admin: null } : given
}

/** What `port` is short for, as its schema has no 0. */
function withAnyPort(config: FrontdeskConfig): FrontdeskConfig {
  const { port, listeners = [], ...rest } = config
  if (port !== 0 || !Array.isArray(listeners) || listeners.some((one) => one?.name === 'default')) return config
  return { ...rest, listeners: [...listeners, { name: 'default', listen: ':0' }] }
}

function withAnyAdminPort(config: FrontdeskConfig): FrontdeskConfig {
  const { admin_port: port, admin = {}, ...rest } = config
  if (port !== 0 || admin === null || admin.listen !== undefined) return config
  return { ...rest, admin: { ...admin, listen: '127.0.0.1:0' } }
}
