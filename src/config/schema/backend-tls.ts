// TLS towards the backends of a pool.
import { isIP } from 'node:net'
import { z } from 'zod'
import type { TlsVersion } from '../../core/spec.ts'
import { hostName } from '../backend-url.ts'
import { alpnName, filePath, parsing, tlsVersion } from './scalars.ts'

/** As written; the cross-check sees to it that `cert` and `key` come together. */
export interface WrittenBackendTls {
  readonly verify: boolean
  /** Authorities trusted: names of files, and whether the system's are trusted too. */
  readonly ca: { readonly system: boolean; readonly files: readonly string[] }
  /** Name that is sent and verified; null = the host of the backend's URL. */
  readonly serverName: string | null
  readonly cert: string | null
  readonly key: string | null
  readonly minVersion: TlsVersion
  /** Null = what the kind of the pool asks for. */
  readonly alpn: readonly string[] | null
}

/** In the place of a file: the authorities that the system trusts. */
const systemWord = 'system'

const authorities = z
  .union(
    [filePath.transform((file) => [file]), z.array(filePath).min(1, { error: 'needs at least one file, or "system"' })],
    {
      error: 'a file, or a list of files and "system"',
    },
  )
  .transform((names) => ({
    system: names.includes(systemWord),
    files: [...new Set(names.filter((name) => name !== systemWord))],
  }))

function parseServerName(text: string): string {
  if (isIP(text) !== 0 && !text.includes('%')) return text.toLowerCase()
  const name = hostName(text)
  if (name !== null && !/^\d+$/.test(name.slice(name.lastIndexOf('.') + 1))) return name
  throw new Error(`${JSON.stringify(text)} is not a name that a certificate can have; write it like "api.internal"`)
}

export const backendTls = z
  .strictObject({
    verify: z.boolean().prefault(true).meta({
      description: 'Whether certificates of backends are verified. `false` lets anybody answer in their place.',
    }),
    ca: authorities.prefault(systemWord).meta({
      title: 'file, or list of files and "system"',
      description:
        "Authorities in PEM. Own ones take the place of the system's; the word `system` in a list keeps those.",
    }),
    server_name: z.string().transform(parsing(parseServerName)).optional().meta({
      title: 'host name or IP address',
      description:
        'Name that is sent to backends and looked for in their certificates (an IP address is only looked for); without it the host of the URL.',
    }),
    cert: filePath.optional().meta({ description: 'Our own certificate in PEM, for backends that ask for one.' }),
    key: filePath.optional().meta({ description: 'Its private key in PEM.' }),
    min_version: tlsVersion.prefault('1.2').meta({ description: 'The oldest version that is spoken.' }),
    alpn: z.array(alpnName).max(32, { error: 'has more than 32 protocols' }).optional().meta({
      description: 'Application protocols offered; default `["http/1.1"]` in HTTP pools, `[]` (none) in TCP pools.',
    }),
  })
  .transform(
    (t): WrittenBackendTls => ({
      verify: t.verify,
      ca: t.ca,
      serverName: t.server_name ?? null,
      cert: t.cert ?? null,
      key: t.key ?? null,
      minVersion: t.min_version,
      alpn: t.alpn ?? null,
    }),
  )
