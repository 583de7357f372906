// The text of the state file: one header line with format, version, length and SHA-256, then the body as JSON.
// Any cut, any flipped bit and any foreign file is told apart from a good one.

import { createHash } from 'node:crypto'
import {
  isLegacyStateDocument,
  isStateDocument,
  type LegacyStateDocument,
  type StateDocument,
} from './state-document.ts'

const formatName = 'frontdesk-state'
/** Raised when an older Frontdesk could misread the body. */
export const stateVersion = 2
/** Read, never written. */
const legacyVersion = 1

/** A good document, or why the bytes are not one. */
export type Decoded =
  | { readonly document: StateDocument }
  | { readonly legacy: LegacyStateDocument }
  | { readonly problem: string }

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

export function encodeState(document: StateDocument): string {
  const body = `${JSON.stringify(document, null, 1)}\n`
  const bytes = Buffer.from(body)
  const header = { format: formatName, version: stateVersion, bytes: bytes.length, sha256: digest(bytes) }
  return `${JSON.stringify(header)}\n${body}`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Reads what `encodeState` wrote; never throws. */
export function decodeState(file: Buffer): Decoded {
  if (file.length === 0) return { problem: 'it is empty' }
  const lineEnd = file.indexOf(10)
  const header = parseJson(file.toString('utf8', 0, lineEnd < 0 ? file.length : lineEnd)) as
    | { format?: unknown; version?: unknown; bytes?: unknown; sha256?: unknown }
    | null
    | undefined
  if (header?.format !== formatName)
    return { problem: 'it is cut short in its first line, or not a Frontdesk state file' }
  if (header.version !== stateVersion && header.version !== legacyVersion) {
    return { problem: `its format version is ${String(header.version)}, this Frontdesk reads version ${stateVersion}` }
  }
  const body = file.subarray(lineEnd < 0 ? file.length : lineEnd + 1)
  if (body.length !== header.bytes) {
    return { problem: `it is torn: ${body.length} of ${String(header.bytes)} bytes are there` }
  }
  if (digest(body) !== header.sha256) return { problem: 'its checksum does not match' }
  const document = parseJson(body.toString('utf8'))
  if (header.version === legacyVersion && isLegacyStateDocument(document)) return { legacy: document }
  if (header.version === stateVersion && isStateDocument(document)) return { document }
  return { problem: 'its content is not what that version writes' }
}
