// A disk tier with many records, made quickly.
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { silentLog } from '../../src/core/log.ts'
import { checkpointName } from '../../src/disk/checkpoint.ts'
import type { LaneTier } from '../../src/disk/lane-tier.ts'
import { openDisk } from '../../src/disk/open-disk.ts'
import { storedEntry } from './disk-entries.ts'

/** Bytes of each body. */
export const filledBody = 600

/** Writes so many records as workers would have, but in large pieces and without the index: the next start looks through them. */
export async function fillDisk(path: string, size: number, count: number): Promise<void> {
  const disk = await openDisk({ path, size, lanes: 1, log: silentLog, now: Date.now })
  const { codec, memory, segments } = disk.tier as LaneTier
  const { segmentBytes } = memory.sizes
  let position = 0
  let parts: Buffer[] = []
  let start = 0
  const flush = (): void => {
    const fd = openSync(segments.path(Math.floor(start / segmentBytes)), 'a')
    writeSync(fd, Buffer.concat(parts), 0, undefined, start % segmentBytes)
    closeSync(fd)
    parts = []
    start = position
  }
  for (let i = 0; i < count; i++) {
    const one = storedEntry({ url: filledUrl(i), bodyLength: filledBody, head: 'X-Version: 0\r\nETag: "1"\r\n' })
    const bytes = codec.encode(one, one, filledBody)
    bytes.latin1Write(one.text()!, bytes.readUInt32LE(16) - filledBody)
    if (Math.floor((position + bytes.length) / segmentBytes) !== Math.floor(position / segmentBytes)) {
      flush()
      position = start = (Math.floor(position / segmentBytes) + 1) * segmentBytes
    }
    codec.seal(bytes, position, 0)
    position += bytes.length
    parts.push(bytes)
    if (position - start > 4e6) flush()
  }
  flush()
  await disk.close()
  unlinkSync(join(path, checkpointName))
}

/** URL of the record with this number. */
export const filledUrl = (i: number): string => `http://www.example.com/some/where/page-${i}.html`
