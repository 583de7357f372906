// `frontdesk/config`: what modules of configurations and plug-ins import. Each worker does so too: nothing heavy comes along.

export type * from '../core/frontdesk-config.ts'
export type * from '../core/plugin.ts'
export { defineConfig, definePlugin } from './define.ts'
