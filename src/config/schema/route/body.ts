// A body that Frontdesk sends by itself: written out, or in a file.
import { extname } from 'node:path'
import { z } from 'zod'
import { filePath } from '../scalars.ts'

export interface BodyConfig {
  /** Its name; null = the text is written out. */
  readonly file: string | null
  /** What is sent; in a file: its content, once it has been read. May have variables. */
  readonly text: string
}

/** Beyond this it is no page but a download. */
export const maxBodyBytes = 1024 ** 2

export const contentType = z
  .string()
  .regex(/^[!#$%&'*+\-.^_`|~\w]+\/[!#$%&'*+\-.^_`|~\w]+(?:[ \t]*;[ \t]*[\x20-\x7e]+)?$/, {
    error: 'is not a media type, such as "text/html; charset=utf-8"',
  })
  .meta({ title: 'media type' })

export const bodyKeys = {
  body: z
    .string()
    .refine((text) => Buffer.byteLength(text) <= maxBodyBytes, { error: 'is longer than 1MB' })
    .optional()
    .meta({ description: 'What is sent; may have variables. A `{` that begins none is itself.' }),
  file: filePath.optional().meta({
    description: 'File whose content is sent, up to 1 MB, in place of `body`; read when the configuration is.',
  }),
  content_type: contentType
    .optional()
    .meta({ description: '`Content-Type`; without it by the ending of `file`, else as the page on routes says.' }),
}

interface Written {
  readonly body?: string | undefined
  readonly file?: string | undefined
  readonly content_type?: string | undefined
}

export const body = ({
  body: text = '',
  file = null,
}: Omit<Written, 'file'> & { file?: string | null | undefined }): BodyConfig => ({
  file,
  text,
})

const byEnding: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.htm': 'text/html; charset=utf-8',
  '.json': 'application/json',
  '.xml': 'application/xml',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

/** The type of what is sent, where it is not said. */
export function contentTypeOf({ content_type: given, file }: Written, fallback: string): string {
  return given ?? (file === undefined ? undefined : byEnding[extname(file).toLowerCase()]) ?? fallback
}

/** Not both; for `superRefine`. */
export function oneBody(written: Written, context: z.core.$RefinementCtx): void {
  if (written.body === undefined || written.file === undefined) return
  context.addIssue({ code: 'custom', path: ['file'], message: 'cannot stand beside body; keep one of the two' })
}
