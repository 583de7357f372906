import type { X509Certificate } from 'node:crypto'

/**
 * The common names in a certificate's subject. Not by Node's `toLegacyObject` or `getPeerCertificate`: there some curves
 * (those without a NIST name, such as brainpool's) end the whole process (Node 24.21).
 */
export function commonNames({ subject }: X509Certificate): string[] {
  // One attribute is on a line, or several that belong together; a plus sign in a value is escaped.
  const attributes = ((subject as string | undefined) ?? '').split(/\n| \+ /)
  return attributes.filter((attribute) => attribute.startsWith('CN=')).map((attribute) => attribute.slice(3))
}
