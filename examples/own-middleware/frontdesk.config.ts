import { defineConfig } from 'frontdesk/config'

export default defineConfig({
  port: 8080,
  backends: ['http://localhost:8082'],
  plugins: ['./tenants.ts'],
  routes: [
    { name: 'health', match: { path: '/healthz' }, respond: 204 },
    { name: 'tenants', pool: 'default', use: { tenants: { 'key-of-ann': 'ann', 'key-of-ben': 'ben' } } },
  ],
})
