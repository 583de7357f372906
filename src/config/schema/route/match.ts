// Which requests a route takes.
import { z } from 'zod'
import { everyRequest, type MatchSpec, type PluginRef, type ValueCondition } from '../../../core/route-spec.ts'
import { pathPattern } from '../../../routing/path-pattern.ts'
import { pathRegex } from '../../../routing/path-regex.ts'
import { routeHost } from '../../route-host.ts'
import { oneOrMore } from '../lists.ts'
import { fieldNameAsWritten, name, parsing, peers } from '../scalars.ts'
import { pluginRef } from './plugin-ref.ts'

const host = z.string().transform(parsing(routeHost)).meta({ title: 'host' })

const path = z
  .string()
  .transform(parsing((text: string) => pathPattern(text).pattern))
  .meta({ title: 'path' })

const method = z
  .string()
  .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}$/, { error: 'is not a method' })
  .regex(/^[^a-z]*$/, { error: 'is in lower case; methods are in upper case, like "GET"' })
  .meta({ title: 'method' })

const anyValue = z.literal(true).transform((): readonly string[] => [])
const values = z
  .union([oneOrMore(z.string()), anyValue], { error: 'a text, a list of texts, or true for any' })
  .meta({ title: 'text, list of them, or true' })
const conditions = (entries: Readonly<Record<string, readonly string[]>>): ValueCondition[] =>
  Object.entries(entries).map(([name, values]) => ({ name, values }))

const header = z
  .record(fieldNameAsWritten, values)
  .transform((entries) => conditions(entries).map((one) => ({ ...one, name: one.name.toLowerCase() })))
  .meta({ description: 'Fields of the request: a text (`*` at either end stands for anything), several, or `true`.' })
const query = z
  .record(z.string().min(1, { error: 'has no name' }), values)
  .transform(conditions)
  .meta({ description: 'Parameters of the query, in the same way.' })

const conditionsOf = z
  .strictObject({
    host: oneOrMore(host)
      .optional()
      .meta({ description: 'Host asked for: `"example.com"`, or `"*.example.com"` for every name below it.' }),
    path: oneOrMore(path).optional().meta({
      description:
        'Canonical path: `"/exact"`, `"/prefix/*"` (takes `/prefix` too), `"/users/{id}"` with parts that get names.',
    }),
    path_regex: z
      .string()
      .min(1, { error: 'is empty' })
      .transform(parsing((source: string) => pathRegex(source).source))
      .optional()
      .meta({
        title: 'regular expression',
        description:
          'Regular expression (RE2) for the whole canonical path, in place of `path`. Named groups are variables.',
      }),
    method: oneOrMore(method).optional().meta({ description: 'Methods.' }),
    header: header.optional(),
    query: query.optional(),
    client: oneOrMore(peers).optional().meta({ description: 'Addresses of clients, or `unix`.' }),
    listener: oneOrMore(name).optional().meta({ description: 'Names of listeners.' }),
    server_name: oneOrMore(host)
      .optional()
      .meta({ description: 'Name that the client asked for in the TLS handshake, as `host`.' }),
    custom: pluginRef.optional().meta({ description: 'Matcher of a plug-in.' }),
  })
  .transform(
    (m): MatchSpec => ({
      hosts: m.host?.includes('*') ? [] : (m.host ?? []),
      paths: m.path?.includes('/*') ? [] : (m.path ?? []),
      pathRegex: m.path_regex ?? null,
      methods: m.method ?? [],
      headers: m.header ?? [],
      query: m.query ?? [],
      clients: m.client ?? [],
      listeners: m.listener ?? [],
      serverNames: m.server_name?.includes('*') ? [] : (m.server_name ?? []),
      custom: (m.custom as PluginRef | undefined) ?? null,
    }),
  )

export const match = z.union([z.literal('*').transform(() => everyRequest), conditionsOf], {
  error: '"*" or an object such as {"path": "/api/*"}',
})
