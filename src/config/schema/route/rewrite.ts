// How the path that backends see differs from the one that was asked for.
import { z } from 'zod'
import { canonicalTarget } from '../../../routing/canonical-target.ts'
import { linearRegex } from '../../../routing/linear-regex.ts'
import { parsing } from '../scalars.ts'

/** Canonical, without a closing slash; '' for "/". Throws an `Error` with a sentence. */
function parsePrefix(text: string): string {
  const shown = JSON.stringify(text)
  if (!text.startsWith('/')) throw new Error(`${shown} is not the front of a path; begin with "/"`)
  if (text.endsWith('*')) throw new Error(`${shown} has a "*" in it; write it without, like "/api"`)
  const canonical = /[?#]/.test(text) ? null : canonicalTarget(text)
  if (canonical === null) throw new Error(`${shown} is not the front of a path; percent-encode special characters`)
  return canonical.path.replace(/\/+$/, '')
}

export const rewritePrefix = z.string().transform(parsing(parsePrefix)).meta({ title: 'path' })

export const rewrite = z
  .strictObject({
    pattern: z
      .string()
      .min(1, { error: 'is empty' })
      .transform(parsing((source: string) => linearRegex(source).source))
      .meta({ title: 'regular expression', description: 'Regular expression (RE2); its first match is replaced.' }),
    to: z.string().meta({
      description: 'What takes its place; `$1` for what a group matched, `$$` for a dollar sign.',
    }),
  })
  .superRefine(({ pattern, to }, context) => {
    try {
      linearRegex(pattern).replacer(to)
    } catch (error) {
      context.addIssue({ code: 'custom', path: ['to'], message: (error as Error).message })
    }
  })
