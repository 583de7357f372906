// The admin API as the long form writes it; tokens stand there unless they are in files.
import type { AdminConfig } from '../config.ts'
import { formatListenAddress } from '../listen-address.ts'

export function adminForm(admin: AdminConfig): Record<string, unknown> {
  const { token, tokenFile, readToken, readTokenFile, anonymous, tls } = admin
  return {
    listen: formatListenAddress(admin),
    ...(tokenFile !== null ? { token_file: tokenFile } : token !== null && { token }),
    ...(readTokenFile !== null ? { read_token_file: readTokenFile } : readToken !== null && { read_token: readToken }),
    anonymous,
    tls: tls && { ...tls.identity, client_auth: tls.clientAuth },
  }
}
