// The keys that the schema knows at a path of a configuration, read from its JSON Schema.
import { configJsonSchema, type JsonSchema } from './json-schema.ts'
import type { Path } from './source-tree.ts'

/** Keys of the object at `path`; empty if the schema has no object there. */
export function knownKeys(path: Path): string[] {
  let schemas: JsonSchema[] = alternatives(configJsonSchema())
  for (const step of path) schemas = schemas.flatMap((schema) => alternatives(next(schema, step)))
  return [...new Set(schemas.flatMap((schema) => Object.keys(schema.properties ?? {})))]
}

function next(schema: JsonSchema, step: string | number): JsonSchema | undefined {
  if (typeof step === 'number') return schema.items
  return (
    schema.properties?.[step] ??
    (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)
  )
}

function alternatives(schema: JsonSchema | undefined): JsonSchema[] {
  if (schema === undefined) return []
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]
  return inner.length === 0 ? [schema] : inner.flatMap(alternatives)
}
