// The three codings with their settings, by node:zlib. bench/micro/compression.ts measures them.
import {
  type BrotliOptions,
  brotliCompress,
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzipSync,
  type ZlibOptions,
  type ZstdOptions,
  gzip as zlibGzip,
  zstdCompress,
  zstdCompressSync,
} from 'node:zlib'
import type { Coding } from './accept-encoding.ts'

/** A compressor that flushes after each write: what went in can be read at the other end. */
export type Engine = ReturnType<typeof createGzip> | ReturnType<typeof createBrotliCompress>

// Windows of 256 KiB: larger ones gain next to nothing on text and cost each answer in flight its memory. They are
// also well below what a decoder must be able to hold (8 MiB for zstd, RFC 9659).

/** Level 5 is within half a point of 6 and takes a quarter less time. */
const gzip: ZlibOptions = { level: 5, flush: constants.Z_SYNC_FLUSH }
const brotli: BrotliOptions = {
  flush: constants.BROTLI_OPERATION_FLUSH,
  params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 18 },
}
/** With smaller tables than level 3 has by itself: a third of the memory for a fifth of a point. */
const zstd: ZstdOptions = {
  flush: constants.ZSTD_e_flush,
  params: {
    [constants.ZSTD_c_compressionLevel]: 3,
    [constants.ZSTD_c_windowLog]: 18,
    [constants.ZSTD_c_hashLog]: 16,
    [constants.ZSTD_c_chainLog]: 15,
  },
}

export function newEngine(coding: Coding): Engine {
  if (coding === 'gzip') return createGzip(gzip)
  return coding === 'br' ? createBrotliCompress(brotli) : createZstdCompress(zstd)
}

// The flush of each write would only be in the way of a body that is there whole.
const gzipWhole: ZlibOptions = { ...gzip, flush: constants.Z_NO_FLUSH }
const brotliWhole: BrotliOptions = { ...brotli, flush: constants.BROTLI_OPERATION_PROCESS }
const zstdWhole: ZstdOptions = { ...zstd, flush: constants.ZSTD_e_continue }

/** Compresses a whole body at once, in the thread pool. */
export function compress(coding: Coding, bytes: Uint8Array, done: (error: Error | null, bytes: Buffer) => void): void {
  if (coding === 'gzip') zlibGzip(bytes, gzipWhole, done)
  else if (coding === 'br') brotliCompress(bytes, brotliWhole, done)
  else zstdCompress(bytes, zstdWhole, done)
}

/** Compresses a whole body at once, on the event loop. */
export function compressSync(coding: Coding, bytes: Uint8Array): Buffer {
  if (coding === 'gzip') return gzipSync(bytes, gzipWhole)
  return coding === 'br' ? brotliCompressSync(bytes, brotliWhole) : zstdCompressSync(bytes, zstdWhole)
}
