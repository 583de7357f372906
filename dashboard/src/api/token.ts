// The bearer token of this tab: kept until the tab is closed, never in an address, a cookie or on disk for longer.

const key = 'frontdesk.token'

export function readToken(): string | null {
  try {
    return sessionStorage.getItem(key)
  } catch {
    return null
  }
}

export function keepToken(token: string | null): void {
  try {
    if (token === null) sessionStorage.removeItem(key)
    else sessionStorage.setItem(key, token)
  } catch {
    // A browser that keeps nothing asks again after the next load.
  }
}

/** The fields that every call carries. */
export function authorization(): Record<string, string> {
  const token = readToken()
  return token === null ? {} : { authorization: `Bearer ${token}` }
}
