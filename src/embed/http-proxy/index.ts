// `frontdesk/http-proxy`: the API of the npm package http-proxy 1.18, for programs that were written for it.
// Nothing happens on import. What differs, and why: docs/guide/migrating-from-http-proxy.md.
import { createProxyServer, ProxyServer } from './proxy-server.ts'

export type { ErrorCallback, ProxyError, ProxyEvents } from './events.ts'
export type { ProxyTarget, Rewrites, ServerOptions } from './options.ts'
export type { TargetDetails } from './target.ts'
export { createProxyServer, createProxyServer as createProxy, createProxyServer as createServer, ProxyServer }
export default ProxyServer
// What `require('frontdesk/http-proxy')` gives, as http-proxy does.
export { ProxyServer as 'module.exports' }
