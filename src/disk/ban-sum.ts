// The file with the sum of all bans: what was in force when it was made. With the files of bans that were begun since then it
// says all that may not be served any more. Where it is missing or damaged nobody knows, and nothing on disk is served.
import { join } from 'node:path'
import type { Bans } from '../state/cache-disk/bans.ts'
import { type DiskMemory, shared64 } from '../state/cache-disk/disk-memory.ts'
import { decodeBans, encodeBan } from './ban-log.ts'
import type { DiskFiles } from './files.ts'
import { recordVersion } from './record.ts'
import { readSealed, type SealedFile, writeSealed } from './sealed-file.ts'

export const banSumName = 'bans'
const fixedBytes = 40
const pairBytes = 12
const pairsOfChunk = 8192
const softBit = 0x80000000
const endOfCells = 0xffffffff

/** Whose a file is, and of which version. */
export function sealedHead(what: string, secret: readonly number[]): Buffer {
  const head = Buffer.alloc(32)
  head.latin1Write(what, 0, 12)
  head.writeUInt32LE(recordVersion, 12)
  secret.forEach((word, i) => {
    head.writeUInt32LE(word >>> 0, 16 + i * 4)
  })
  return head
}

function sealed(files: DiskFiles, memory: DiskMemory): SealedFile {
  return { files, path: join(memory.path, banSumName), head: sealedHead('bans', memory.secret) }
}

/** @throws the system's error. `file`: bans that come from now on are in this file and later ones. */
export function writeBanSum(files: DiskFiles, memory: DiskMemory, bans: Bans, file: number): Promise<void> {
  return writeSealed(sealed(files, memory), bodyOf(memory, bans, file), true)
}

function* bodyOf(memory: DiskMemory, bans: Bans, file: number): Generator<Buffer> {
  const fixed = Buffer.alloc(fixedBytes)
  fixed.writeDoubleLE(memory.load(shared64.bans), 0)
  fixed.writeDoubleLE(memory.load(shared64.all), 8)
  fixed.writeDoubleLE(memory.load(shared64.allSoft), 16)
  fixed.writeUInt32LE(memory.sizes.banCells, 24)
  fixed.writeUInt32LE(memory.sizes.softCells, 28)
  fixed.writeUInt32LE(file, 32)
  yield fixed
  let chunk = Buffer.alloc(pairsOfChunk * pairBytes)
  let at = 0
  for (const soft of [false, true]) {
    for (const [index, number] of bans.cells(soft)) {
      chunk.writeUInt32LE((soft ? softBit : 0) + index, at)
      chunk.writeDoubleLE(number, at + 4)
      at += pairBytes
      if (at < chunk.length) continue
      yield chunk
      chunk = Buffer.alloc(chunk.length)
      at = 0
    }
  }
  yield chunk.subarray(0, at)
  const end = Buffer.alloc(pairBytes)
  end.writeUInt32LE(endOfCells, 0)
  yield end
  for (const { number, soft, prefix, segment } of bans.prefixes)
    yield encodeBan({ number, soft, what: { kind: 'prefix', prefix, segment } })
}

/**
 * Puts in force what the file says. Returns the first file of bans to be read after it; null = it is damaged or not there.
 * @throws the system's error where the disk fails.
 */
export async function readBanSum(files: DiskFiles, memory: DiskMemory, bans: Bans): Promise<number | null> {
  const parts: Buffer[] = []
  const isWhole = await readSealed(sealed(files, memory), (bytes) => parts.push(bytes))
  const body = Buffer.concat(parts)
  if (!isWhole || body.length < fixedBytes) return null
  memory.raise(shared64.bans, body.readDoubleLE(0))
  memory.raise(shared64.all, body.readDoubleLE(8))
  memory.raise(shared64.allSoft, body.readDoubleLE(16))
  const [hard, soft] = [body.readUInt32LE(24), body.readUInt32LE(28)]
  let at = fixedBytes
  for (; at + pairBytes <= body.length; at += pairBytes) {
    const packed = body.readUInt32LE(at)
    if (packed === endOfCells) break
    const isSoft = packed >= softBit
    bans.raiseCell(isSoft, isSoft ? packed - softBit : packed, isSoft ? soft : hard, body.readDoubleLE(at + 4))
  }
  const prefixes = decodeBans(body.subarray(at + pairBytes))
  if (prefixes === null) return null
  for (const ban of prefixes) bans.apply(ban)
  return body.readUInt32LE(32)
}
