// Consistent hash of the client's address: the stateless form of sticky clients.
import type { Strategy } from '../strategy.ts'
import { buildHashPicker } from './hash.ts'

/** By the client's address. */
export const ipHash: Strategy = { name: 'ip-hash', needs: 'client-address', build: buildHashPicker }
