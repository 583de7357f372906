// Reads a PEM file (RFC 7468) and takes it apart; whatever is no PEM gets a reason that says what it probably is.
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { MaterialError } from './material-error.ts'

export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY` … */
  readonly label: string
  /** The block alone, from BEGIN to END, with a closing line feed. */
  readonly pem: string
}

export interface PemFile {
  readonly path: string
  readonly blocks: readonly PemBlock[]
  /** Hash of what is in the file. */
  readonly digest: string
}

/** All authorities of a system come to a quarter of a megabyte. */
const MAX_BYTES = 4 * 1024 ** 2
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n[\s\S]*?-----END \1-----/g

/** @throws MaterialError when there is no such file, it cannot be read, or nothing in it is PEM. */
export async function readPemFile(path: string): Promise<PemFile> {
  const bytes = await read(path)
  const text = bytes.toString('latin1')
  const blocks = [...text.matchAll(BLOCK)].map(([pem, label]) => ({
    label: label!,
    pem: `${pem.replaceAll('\r\n', '\n')}\n`,
  }))
  if (blocks.length === 0 || opens(text) > blocks.length) throw new MaterialError(path, ...notPem(bytes, text))
  return { path, blocks, digest: createHash('sha256').update(bytes).digest('hex') }
}

/** Its certificates, one block each. @throws MaterialError without any, naming what is there instead. */
export function certificatesIn({ path, blocks }: PemFile): string[] {
  const found = blocks.filter(({ label }) => /^(?:X509 )?CERTIFICATE$/.test(label))
  if (found.length === 0) throw new MaterialError(path, `holds no certificate, but ${labelsOf(blocks)}`)
  return found.map(({ pem }) => pem)
}

/** What the file has, in words: `a PRIVATE KEY`. */
export function labelsOf(blocks: readonly PemBlock[]): string {
  const labels = [...new Set(blocks.map(({ label }) => label))]
  return labels.map((label) => `${/^[AEIOX]/.test(label) ? 'an' : 'a'} ${label}`).join(' and ')
}

async function read(path: string): Promise<Buffer> {
  try {
    // First, as opening a pipe would wait for somebody to write into it.
    const about = await stat(path)
    if (about.isDirectory()) throw new MaterialError(path, 'is a folder, not a file')
    if (!about.isFile()) throw new MaterialError(path, 'is not a regular file')
    if (about.size > MAX_BYTES) throw new MaterialError(path, 'is larger than 4 MB: this is no certificate or key')
    return await readFile(path)
  } catch (error) {
    if (error instanceof MaterialError) throw error
    const { code = '', message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new MaterialError(path, 'does not exist')
    if (code === 'EACCES' || code === 'EPERM') {
      throw new MaterialError(path, `cannot be read (${code})`, 'let the user that runs Frontdesk read it')
    }
    if (code === 'ENOTDIR') throw new MaterialError(path, 'does not exist: what it should lie in is not a folder')
    throw new MaterialError(path, `cannot be read (${code === '' ? message : code})`)
  }
}

const opens = (text: string): number => text.match(/-----BEGIN [A-Z0-9 ]+-----/g)?.length ?? 0

function notPem(bytes: Buffer, text: string): [reason: string, hint?: string] {
  if (bytes.length === 0) return ['is empty']
  if (opens(text) > 0) return ['ends in the middle of a block, or one of its BEGIN lines has no END']
  // A DER structure: SEQUENCE with a length of several bytes. Certificates, keys and PKCS #12 alike.
  if (bytes[0] === 0x30 && (bytes[1]! & 0x80) !== 0) {
    return ['is not PEM but binary (DER or PKCS #12)', 'convert it with openssl x509, openssl pkey or openssl pkcs12']
  }
  return ['is not PEM: it has no line that begins with -----BEGIN']
}
