// Ids for requests: unique, and cheap enough for every one of them.
import { randomBytes } from 'node:crypto'

const HEX_BYTE = Array.from({ length: 256 }, (_, byte) => (byte + 0x100).toString(16).slice(1))

/** 64 random bits of this worker's start and a counter of 48: unique, and cheap enough for every request. */
export class RequestIds {
  readonly #prefix = randomBytes(8).toString('hex')
  #count = 0
  #block = `${this.#prefix}00000000`

  next(): string {
    const low = this.#count++ & 0xffff
    if (low === 0)
      this.#block =
        this.#prefix +
        Math.floor(this.#count / 0x10000)
          .toString(16)
          .padStart(8, '0')
    return this.#block + HEX_BYTE[low >> 8] + HEX_BYTE[low & 0xff]
  }
}
