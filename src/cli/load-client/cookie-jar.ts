// The cookies one client of `frontdesk request --keep-cookies` holds: enough of RFC 6265 for one host.

/** Name to value; expired ones go. Path and domain are not looked at: all requests go to one URL. */
export class CookieJar {
  readonly #cookies = new Map<string, string>()

  /** Takes in the Set-Cookie fields of an answer. */
  store(setCookie: readonly string[] | undefined): void {
    for (const line of setCookie ?? []) {
      const [pair = '', ...attributes] = line.split(';')
      const equals = pair.indexOf('=')
      if (equals < 1) continue
      const name = pair.slice(0, equals).trim()
      if (attributes.some(isExpired)) this.#cookies.delete(name)
      else this.#cookies.set(name, pair.slice(equals + 1).trim())
    }
  }

  /** The value of the Cookie field, or undefined when the jar is empty. */
  header(): string | undefined {
    if (this.#cookies.size === 0) return undefined
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }
}

function isExpired(attribute: string): boolean {
  const [name = '', value = ''] = attribute.split('=').map((part) => part.trim())
  if (name.toLowerCase() === 'max-age') return Number(value) <= 0
  return name.toLowerCase() === 'expires' && Date.parse(value) <= Date.now()
}
