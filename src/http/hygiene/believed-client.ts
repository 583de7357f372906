// Whose request it is where proxies that are believed stand between: the last address that none of them has.
import { parseAddress } from '../../util/cidr.ts'

/** An IPv6 literal in brackets, or an IPv4 address, with a port that some proxies add. */
const WITH_PORT = /^(?:\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5})$/
const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i

/**
 * Reads X-Forwarded-For from its end, where the nearest proxy has written. `chain`: as a believed peer sent it, '' where
 * it sent none. Returns '' where nothing can be believed: then the peer itself is the client. An entry that is no address
 * (`unknown`, a name somebody made up) ends the search: who wrote what is left of it nobody knows.
 */
export function believedClient(chain: string, isTrusted: (address: string) => boolean): string {
  let client = ''
  for (let end = chain.length; end > 0; ) {
    const comma = chain.lastIndexOf(',', end - 1)
    const address = addressOf(chain.slice(comma + 1, end).trim())
    if (address === null) return client
    client = address
    if (!isTrusted(address)) return client
    end = comma
  }
  return client
}

/** Every address of such a chain, the client's first; null where an entry is none. */
export function chainOf(chain: string): string[] | null {
  const addresses = chain.split(',').map((entry) => addressOf(entry.trim()))
  return addresses.includes(null) ? null : (addresses as string[])
}

function addressOf(entry: string): string | null {
  const match = WITH_PORT.exec(entry)
  const text = match === null ? entry : (match[1] ?? match[2]!)
  if (parseAddress(text) === null) return null
  return MAPPED.exec(text)?.[1] ?? text.toLowerCase()
}
