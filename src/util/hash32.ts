// MurmurHash3 (32 bits): fast, well spread, the same in every process and on every machine. Not for secrets.

/** Finalizer of MurmurHash3: spreads a u32 over all 32 bits; one to one. */
export function mix32(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const mixBlock = (k: number): number => {
  const x = Math.imul(k, 0xcc9e2d51)
  return Math.imul((x << 15) | (x >>> 17), 0x1b873593)
}

const mixState = (h: number, k: number): number => {
  const x = h ^ mixBlock(k)
  return (Math.imul((x << 13) | (x >>> 19), 5) + 0xe6546b64) | 0
}

/**
 * Hash of bytes, or of the code units of a string, as u32. A latin1 string and its bytes hash alike; of code units
 * above 255 both halves count, so that such strings do not collide by design.
 */
export function hash32(input: string | Uint8Array, seed = 0): number {
  return typeof input === 'string' ? hashString(input, seed) : hashArray(input, seed)
}

/** Two independent hashes of the same input, as [hi, lo] of 64 bits, each a u32. */
export function hash64(input: string | Uint8Array): [hi: number, lo: number] {
  return [hash32(input, 0x9747b28c), hash32(input, 0x3c6ef372)]
}

function hashArray(bytes: Uint8Array, seed: number): number {
  const whole = bytes.length & ~3
  let h = seed | 0
  for (let i = 0; i < whole; i += 4)
    h = mixState(h, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24))
  let tail = 0
  for (let i = bytes.length - 1; i >= whole; i--) tail = (tail << 8) | bytes[i]!
  return mix32(h ^ (whole === bytes.length ? 0 : mixBlock(tail)) ^ bytes.length)
}

function hashString(text: string, seed: number): number {
  const whole = text.length & ~3
  let h = seed | 0
  let high = 0
  for (let i = 0; i < whole; i += 4) {
    const a = text.charCodeAt(i)
    const b = text.charCodeAt(i + 1)
    const c = text.charCodeAt(i + 2)
    const d = text.charCodeAt(i + 3)
    high |= a | b | c | d
    h = mixState(h, (a & 255) | ((b & 255) << 8) | ((c & 255) << 16) | (d << 24))
  }
  let tail = 0
  for (let i = text.length - 1; i >= whole; i--) {
    high |= text.charCodeAt(i)
    tail = (tail << 8) | (text.charCodeAt(i) & 255)
  }
  if (high > 255) for (let i = 0; i < text.length; i++) h = mixState(h, text.charCodeAt(i) >>> 8)
  return mix32(h ^ (whole === text.length ? 0 : mixBlock(tail)) ^ text.length)
}
