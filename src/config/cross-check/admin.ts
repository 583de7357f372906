// Nobody steers us who was not meant to: the admin API is on loopback, or asks who is calling.
import { formatListenAddress, isLoopback } from '../listen-address.ts'
import { show } from '../problem.ts'
import { tokenIn, tokenProblem } from '../schema/admin.ts'
import type { Check } from './check.ts'
import { readFile } from './route-texts.ts'

export function checkAdmin(check: Check): void {
  const { admin } = check.config
  if (admin === null) return
  const token = checkToken(check, 'token')
  const readToken = checkToken(check, 'read_token')
  checkAddress(check, token)
  if (token === null && readToken !== null) {
    const message = 'limits nobody where there is no token that may do everything'
    const key = admin.readTokenFile === null ? 'read_token' : 'read_token_file'
    check.report(['admin', key], message, 'set admin.token too', { atKey: true })
  }
  const inFiles = admin.tokenFile !== null || admin.readTokenFile !== null
  if (inFiles && typeof token === 'string' && token === readToken) {
    const key = admin.readTokenFile === null ? 'read_token' : 'read_token_file'
    check.report(['admin', key], 'holds the token that may do everything', 'make another one', { atKey: true })
  }
}

function checkAddress({ config: { admin }, report }: Check, token: Token): void {
  if (admin === null || token !== null) return
  const mode = admin.tls?.clientAuth?.mode ?? null
  if (mode === 'optional') {
    const message = 'callers without a certificate would be asked for nothing'
    report(['admin', 'tls', 'client_auth', 'mode'], message, 'set admin.token, or write "required"', { value: mode })
  }
  if (mode !== null || isLoopback(admin.host)) return
  const where = admin.host === '' ? 'all interfaces' : admin.host
  report(['admin', 'listen'], `the admin API on ${where} needs a token`, 'set admin.token, or listen on 127.0.0.1', {
    value: formatListenAddress(admin),
  })
}

/** Null = there is none; undefined = its file cannot be used, which has been said. */
type Token = string | null | undefined

/** The token, wherever it stands. */
function checkToken(check: Check, key: 'token' | 'read_token'): Token {
  const { admin } = check.config
  const file = key === 'token' ? admin!.tokenFile : admin!.readTokenFile
  if (file === null) return key === 'token' ? admin!.token : admin!.readToken
  const path = ['admin', `${key}_file`]
  const text = readFile(check, path, file)
  if (text === null) return undefined
  const token = tokenIn(text)
  const problem = token === '' ? 'is empty' : /[\r\n]/.test(token) ? 'has more than one line' : tokenProblem(token)
  if (problem === null) return token
  check.report(path, `${show(file)}: ${problem}`, 'write the token alone into it', { value: file })
  return undefined
}
