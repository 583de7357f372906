// Whether OpenSSL understands a list of ciphers. It passes over names that it does not know, in silence; we do not.
import { createSecureContext, getCiphers } from 'node:tls'
import { closest } from '../util/edit-distance.ts'

/** Throws an `Error` with a sentence unless every part of the list is known and at least one cipher is left. */
export function checkCiphers(list: string): string {
  for (const part of list.split(/[:, ]/)) checkPart(part)
  if (selects(list)) return list
  throw new Error(`${JSON.stringify(list)} leaves no cipher; write a list like "ECDHE+AESGCM:ECDHE+CHACHA20"`)
}

function checkPart(part: string): void {
  // Commands such as @SECLEVEL=1 and @STRENGTH cannot be tried alone; the whole list is.
  if (/^@[A-Z]+(=\d)?$/.test(part)) return
  const name = part.replace(/^[!+-]/, '')
  if (/^TLS_/.test(name)) {
    throw new Error(`"${name}" is a cipher of TLS 1.3, which are on always; the list is for TLS 1.2`)
  }
  if (name !== '' && selects(name)) return
  const known = getCiphers().map((cipher) => cipher.toUpperCase())
  const guess = closest(name, known)
  const hint = guess === null ? '"openssl ciphers -v" lists those there are' : `did you mean "${guess}"?`
  throw new Error(`${JSON.stringify(name)} is no cipher that OpenSSL knows; ${hint}`)
}

/** Node tells by an exception, and only when nothing at all is left. */
function selects(list: string): boolean {
  try {
    createSecureContext({ ciphers: list })
    return true
  } catch {
    return false
  }
}
