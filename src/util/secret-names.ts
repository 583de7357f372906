// Names whose values nobody is shown: of settings, options, query parameters and header fields.

/** What stands in the place of a secret. */
export const redactedText = '***'

/** Lower case, without `_` and `-`. Our own, and what plug-ins call theirs in their options. */
const secretNames = new Set([
  ...['token', 'readtoken', 'secret', 'accesstoken', 'apikey', 'authtoken', 'clientsecret'],
  ...['passphrase', 'passwd', 'password', 'privatekey', 'refreshtoken', 'secretkey'],
])
/** Header fields whose values are passwords or stand for them; lower case. */
const secretFields = new Set(['authorization', 'cookie', 'x-api-key', 'x-auth-token', 'x-csrf-token'])

export const isSecretName = (name: string): boolean => secretNames.has(name.toLowerCase().replace(/[_-]/g, ''))

/** Of a header field. */
export const isSecretField = (name: string): boolean => secretFields.has(name.toLowerCase()) || isSecretName(name)
