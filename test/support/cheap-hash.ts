// Hashes of passwords that tests can afford: the form of real ones, next to no work.
import { randomBytes, scryptSync } from 'node:crypto'

/** In PHC form. */
export function cheapHash(password: string): string {
  const salt = randomBytes(16)
  const text = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
  return `$scrypt$ln=4,r=8,p=1$${text(salt)}$${text(scryptSync(password, salt, 32, { N: 16, r: 8, p: 1 }))}`
}
