// One server of a pool, as the file and the admin API write it.
import { z } from 'zod'
import { parseBackendUrl } from '../backend-url.ts'
import { parsing, whole } from './scalars.ts'

export const backendUrl = z
  .string()
  .transform(parsing((text: string) => parseBackendUrl(text).url))
  .meta({
    title: 'URL',
    description:
      'Address: `http://host[:port][/base]`, `https://…`, `tcp://host:port`, `tls://…` or `unix:/path/of.sock`.',
  })

export const weight = whole(1, 65_535)
  .prefault(1)
  .meta({ description: 'Share of the requests, relative to the other backends of the pool.' })

export const maxConnections = whole(0, 1_000_000).prefault(0).meta({
  description:
    'Requests in flight at once (in TCP pools: connections), over all workers; 0 = no limit. When every backend is full: 503.',
})

export const backup = z
  .boolean()
  .prefault(false)
  .meta({ description: 'Serves only while no other backend of the pool is available.' })

export const backendObject = z
  .strictObject({ url: backendUrl, weight, max_connections: maxConnections, backup })
  .transform((b) => ({ url: b.url, weight: b.weight, maxConnections: b.max_connections, backup: b.backup }))

export type BackendConfig = z.output<typeof backendObject>

export const backend = z.union([
  backendUrl.transform((url): BackendConfig => ({ url, weight: 1, maxConnections: 0, backup: false })),
  backendObject,
])
