// Request fields that only this proxy may say (those that tell of a client's certificate): taken out of what clients send.

/** No field is reserved: what most configurations have, and costs nothing. */
export const nothingReserved: ReadonlySet<string> = new Set()

/**
 * Names that CGI cannot tell apart are one: case folded, and whatever is no letter or digit the same. `X_Client_Cert` and
 * `X.Client.Cert` both reach some application as HTTP_X_CLIENT_CERT (RFC 3875 §4.1.18).
 */
export function foldedName(name: string): string {
  return name.toLowerCase().replace(/[^0-9a-z]/g, '-')
}

/** A field block (every line with its CRLF) without the lines whose folded names are reserved. */
export function withoutReserved(block: string, reserved: ReadonlySet<string>): string {
  let kept = ''
  let runStart = 0
  for (let position = 0; position < block.length; ) {
    const colon = block.indexOf(':', position)
    const end = block.indexOf('\r\n', colon) + 2
    if (reserved.has(foldedName(block.slice(position, colon)))) {
      kept += block.slice(runStart, position)
      runStart = end
    }
    position = end
  }
  return runStart === 0 ? block : kept + block.slice(runStart)
}
