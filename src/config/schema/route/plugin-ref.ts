// Something that a plug-in brings, by its name: "name", or {"name": options}.
import { z } from 'zod'
import type { PluginRef } from '../../../core/route-spec.ts'

const pattern = /^[@A-Za-z0-9][\w@./:[\]-]{0,255}$/
const notAName = 'is not the name of a part of a plug-in, such as "tenant" or "package:tenant"'
export const pluginName = z.string().regex(pattern, { error: notAName }).meta({ title: 'plug-in name' })

/** What stands for a function of a TypeScript configuration. */
export const functionName = z.templateLiteral(['@', z.string().regex(/^[\w@./:[\]-]{1,255}$/)])

const withOptions = z.record(pluginName, z.unknown()).superRefine((object, context) => {
  if (Object.keys(object).length === 1) return
  context.addIssue({ code: 'custom', message: 'is written with one name and its options: {"name": {…}}' })
})

/** Options are plain data; none is the same as `{}`. */
export const pluginRef = z
  .union([
    pluginName.transform((name): PluginRef => ({ name, options: {} })),
    withOptions.transform((object): PluginRef => {
      const [name = '', options] = Object.entries(object)[0] ?? []
      return { name, options: options ?? {} }
    }),
  ])
  .meta({ title: 'name or {name: options}' })

/** A file if it begins with `.` or `/`, else a package. */
export const pluginModule = z
  .string()
  .regex(/^[^\0-\x20\x7f]{1,1024}$/, { error: 'is neither a file nor the name of a package' })
  .meta({ title: 'file or package' })
