// The store of answers that all routes share.
import { z } from 'zod'
import type { CacheStoreSpec } from '../../core/cache-spec.ts'
import { byteSize } from './scalars.ts'

const mebibyte = 1024 ** 2
const gibibyte = 1024 ** 3
const largest = 8 * mebibyte

export interface WrittenCacheStore extends CacheStoreSpec {
  /** Whether `max_object` stands there; without it no answer takes more than a quarter of the memory. */
  readonly saysMaxObject: boolean
}

/** As it is written; relative ones are meant from the folder of the configuration file. */
const folder = z
  .string()
  .regex(/^[^\0]+$/, { error: 'is not the name of a folder' })
  .meta({ title: 'folder' })

/** No answer may push out more of what is stored. */
export const largestShare = 1 / 4

export const cacheStore = z
  .strictObject({
    memory: byteSize(mebibyte, 64 * gibibyte, '1MB to 64GB')
      .prefault('256MB')
      .meta({
        description: 'All of it, over all workers: answers, their heads and what is needed to find them.',
      }),
    max_object: byteSize(1024, 4 * gibibyte - 1, '1KB to less than 4GB')
      .optional()
      .meta({
        flatDefault: '8MB',
        description:
          'Longer answers pass through; at most a quarter of `memory`, and where that is less by default too.',
      }),
    disk: z
      .strictObject({
        path: folder.meta({ description: 'Folder, made if it is not there. One process uses it at a time.' }),
        size: byteSize(16 * mebibyte, 1024 ** 5, '16MB to 1024TB')
          .prefault('10GB')
          .meta({
            description: 'All that is kept there.',
          }),
      })
      .nullable()
      .prefault(null)
      .meta({ description: 'A second tier that survives a restart; null = none.' }),
  })
  .transform(
    (s): WrittenCacheStore => ({
      memory: s.memory,
      maxObject: s.max_object ?? Math.min(largest, Math.floor(s.memory * largestShare)),
      disk: s.disk,
      saysMaxObject: s.max_object !== undefined,
    }),
  )
