// Lists that people write as a single value where there is only one.
import { z } from 'zod'

/** A value, or a list of at least one. */
export function oneOrMore<T extends z.ZodType>(item: T) {
  return z
    .union([item.transform((value) => [value] as z.output<T>[]), z.array(item).min(1, { error: 'is empty' })])
    .transform((list): readonly z.output<T>[] => list)
}
