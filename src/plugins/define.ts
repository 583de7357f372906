// Tells the compiler what a module exports; at run time they give back what they were given.
import type { FrontdeskConfig } from '../core/frontdesk-config.ts'
import type { Plugin } from '../core/plugin.ts'

/** A configuration, checked by the compiler: `export default defineConfig({ … })` in `frontdesk.config.ts`. */
export function defineConfig(config: FrontdeskConfig): FrontdeskConfig {
  return config
}

/** A plug-in, checked by the compiler: `export default definePlugin({ middleware: { … } })`. */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin
}
