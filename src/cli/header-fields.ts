// Header fields as options give them: "Name: value", any number of times.
import { InvalidArgumentError } from 'commander'

/** For `option`. */
export function collectField(text: string, before: readonly string[] | undefined): readonly string[] {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:/.test(text))
    throw new InvalidArgumentError('It is a header field such as "X-Delay: 100ms".')
  return [...(before ?? []), text]
}

/** By name, as they were written; of one that is there twice the last. */
export function parseFields(fields: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    fields.map((field) => [field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1).trim()]),
  )
}
