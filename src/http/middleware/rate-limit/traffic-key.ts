// Whose request it is, as a limit counts: a 64-bit hash of the limit and of what it counts by.
import type { RequestView } from '../../../core/plugin.ts'
import type { KeySpec } from '../../../core/route-spec.ts'
import { unixAddress } from '../../../net/arrival.ts'
import { hash32, mix32 } from '../../../util/hash32.ts'
import { network64 } from './network64.ts'

// What is hashed, so that a header cannot be given the hash of an address.
const ofAll = 1
const ofAddress = 2
const ofValue = 3

const network = new Uint32Array(2)

export class TrafficKey {
  /** Of the request read last. */
  hi = 0
  lo = 0
  readonly #by: KeySpec['by']
  readonly #name: string
  readonly #id: number

  /** `id`: of the limit; the same key of another limit is another one. */
  constructor(spec: KeySpec, id: number) {
    this.#by = spec.by
    this.#name = spec.by === 'header' || spec.by === 'cookie' ? spec.name : ''
    this.#id = id
  }

  /**
   * A request without the header or cookie counts under its client's address: leaving it out must neither be a way
   * around the limit, nor put all strangers into one account that any of them can use up for all. Likewise one with
   * several such headers, of which a backend may take another than we.
   */
  read(request: RequestView): void {
    const by = this.#by
    if (by === 'all') this.#set(ofAll, 0, 0)
    else if (by === 'ip') this.#setAddress(request.client.address)
    else
      this.#setValue(
        (by === 'header' ? onlyOne(request.headers(this.#name)) : request.cookie(this.#name)) ?? '',
        request,
      )
  }

  #setValue(value: string, request: RequestView): void {
    if (value === '') this.#setAddress(request.client.address)
    else this.#set(ofValue, hash32(value, 0x9747b28c), hash32(value, 0x3c6ef372))
  }

  /** Whoever has an IPv6 address has at least 2⁶⁴ of them. */
  #setAddress(address: string): void {
    if (address.includes(':') && address !== unixAddress) {
      network64(address, network)
      this.#set(ofAddress, network[0]!, network[1]!)
    } else this.#set(ofAddress, hash32(address, 0x9747b28c), hash32(address, 0x3c6ef372))
  }

  #set(kind: number, a: number, b: number): void {
    const id = mix32(mix32(this.#id) ^ kind)
    this.hi = mix32(a ^ mix32(b ^ id))
    this.lo = mix32(b ^ mix32(a + id))
  }
}

const onlyOne = (values: readonly string[]): string | undefined => (values.length === 1 ? values[0] : undefined)
