// Header fields, bodies, compression and error pages of a route, as the long form writes them.
import { formatByteSize } from '../../util/byte-size.ts'
import type { RouteConfig } from '../config.ts'
import type { BodyConfig } from '../schema/route/body.ts'
import type { FieldConfig, HeaderEditsConfig } from '../schema/route/headers.ts'
import { cacheForm } from './cache.ts'

type Form = Record<string, unknown>

/** Fields by name: one value, or all of them. */
export function fieldsForm(fields: readonly FieldConfig[]): Form {
  const byName = new Map<string, string[]>()
  for (const { name, value } of fields) byName.set(name, [...(byName.get(name) ?? []), value])
  return Object.fromEntries([...byName].map(([name, values]) => [name, values.length === 1 ? values[0] : values]))
}

/** What is in a file stays there. */
export const bodyForm = ({ file, text }: BodyConfig): Form =>
  file !== null ? { file } : text === '' ? {} : { body: text }

export function headersForm({ requestHeaders, responseHeaders, securityHeaders }: RouteConfig): Form {
  const headers = {
    ...(requestHeaders !== null && { request: editsForm(requestHeaders) }),
    ...(responseHeaders !== null && { response: editsForm(responseHeaders) }),
  }
  return {
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(securityHeaders !== null && {
      security_headers: {
        content_type_options: securityHeaders.contentTypeOptions,
        frame_options: securityHeaders.frameOptions,
        referrer_policy: securityHeaders.referrerPolicy,
        cross_origin_opener_policy: securityHeaders.crossOriginOpenerPolicy,
        cross_origin_resource_policy: securityHeaders.crossOriginResourcePolicy,
        permissions_policy: securityHeaders.permissionsPolicy,
        content_security_policy: securityHeaders.contentSecurityPolicy,
      },
    }),
  }
}

function editsForm({ set, add, remove }: HeaderEditsConfig): Form {
  return {
    ...(set.length > 0 && { set: fieldsForm(set) }),
    ...(add.length > 0 && { add: fieldsForm(add) }),
    ...(remove.length > 0 && { remove }),
  }
}

export function answersForm({ cache, compression, errorPages }: RouteConfig): Form {
  return {
    ...(compression !== null && {
      compression: {
        algorithms: compression.algorithms,
        types: compression.types,
        min_size: formatByteSize(compression.minSize),
      },
    }),
    ...(cache !== null && { cache: cacheForm(cache) }),
    ...(errorPages.length > 0 && {
      error_pages: errorPages.map(({ statuses, body, contentType, intercept }) => ({
        status: statuses.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)),
        // An empty page is one too.
        ...(body.file === null ? { body: body.text } : { file: body.file }),
        content_type: contentType,
        intercept,
      })),
    }),
  }
}
