// Whose request it is, by an API key: backends read it in X-Tenant, strangers are turned away.
import { definePlugin, type Middleware } from 'frontdesk/config'

/** @param keys names of tenants by their keys: what the configuration says at `use` */
function tenants(keys: Readonly<Record<string, string>>): Middleware {
  const names = new Map(Object.entries(keys))
  return {
    onRequest(request) {
      const tenant = names.get(request.header('x-api-key') ?? '')
      if (tenant === undefined) return { status: 401, body: 'an X-API-Key is needed\n' }
      request.state.set('tenant', tenant)
      request.setHeader('X-Tenant', tenant)
      request.removeHeader('X-API-Key')
      return undefined
    },
    onResponse(response) {
      response.setHeader('Cache-Control', 'private')
    },
    onFinish({ request, status, durationMs }) {
      const tenant = request.state.get('tenant') ?? 'somebody'
      console.log(`${tenant} ${request.method} ${request.path} ${status} ${durationMs.toFixed(1)} ms`)
    },
  }
}

export default definePlugin({ middleware: { tenants } })
