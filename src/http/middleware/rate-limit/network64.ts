// The /64 that an IPv6 address lies in: what one customer of a network has at least, so what is counted as one client.

const groups = new Uint16Array(9)

/** Puts the upper 64 bits of an IPv6 address into `out`, as two u32. Allocates nothing. */
export function network64(address: string, out: Uint32Array): void {
  let count = 0
  let gap = -1
  let value = 0
  let digits = 0
  for (let i = 0; i < address.length && count < 8; i++) {
    const digit = hexDigit(address.charCodeAt(i))
    if (digit >= 0) {
      value = (value << 4) | digit
      digits++
      continue
    }
    if (address.charCodeAt(i) !== 58 /* : */) {
      if (address.charCodeAt(i) !== 46 /* . */) break
      // The two lowest groups in decimal: never among those that are asked for.
      digits = 0
      count += 2
      break
    }
    if (digits > 0) groups[count++] = value
    else gap = count
    value = 0
    digits = 0
  }
  if (digits > 0 && count < 8) groups[count++] = value
  const zeros = gap < 0 ? 0 : 8 - count
  const group = (at: number): number => (gap < 0 || at < gap ? groups[at]! : at < gap + zeros ? 0 : groups[at - zeros]!)
  out[0] = (group(0) << 16) | group(1)
  out[1] = (group(2) << 16) | group(3)
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
