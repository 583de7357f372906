// The JSON Schema of a configuration file, made from the zod schema: for editors, `frontdesk schema`, and the reference page.
import { z } from 'zod'
import { fileForm } from './schema/file.ts'

/** The part of JSON Schema (2020-12) that ours uses. */
export interface JsonSchema {
  $schema?: string
  title?: string
  description?: string
  type?: string | string[]
  default?: unknown
  enum?: unknown[]
  const?: unknown
  pattern?: string
  minimum?: number
  maximum?: number
  minItems?: number
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  propertyNames?: JsonSchema
  items?: JsonSchema
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  flatDefault?: unknown
}

let cached: JsonSchema | null = null

/** The schema of what a file may say (what is written, not what it becomes). Do not change the answer. */
export function configJsonSchema(): JsonSchema {
  cached ??= build()
  return cached
}

function build(): JsonSchema {
  const schema = z.toJSONSchema(fileForm, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // zod drops the key "default" of a key that is optional and parsed; ours travels under its own name.
      const own = jsonSchema as JsonSchema
      if (own.flatDefault === undefined) return
      own.default = own.flatDefault
      delete own.flatDefault
    },
  }) as JsonSchema
  return { ...schema, title: 'Frontdesk configuration' }
}
