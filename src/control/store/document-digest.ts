// What a document said, in 64 characters: told apart after a restart, when the document itself is not there any more.

import { createHash } from 'node:crypto'
import { canonical } from '../../config/document/places.ts'
import type { Json } from '../../config/document/types.ts'

/** The same for documents that mean the same: the order of keys does not count. */
export const digestOf = (document: Json): string => createHash('sha256').update(canonical(document)).digest('hex')
