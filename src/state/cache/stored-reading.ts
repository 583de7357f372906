// Reading a body that is complete: views of shared memory, which stays as it is while the body is held.
import { BodyPlace } from './bodies.ts'
import { pageBytes } from './geometry.ts'
import type { Pin, Pins } from './pins.ts'
import type { BodyReading } from './types.ts'

export class StoredReading implements BodyReading {
  readonly length: number
  readonly state = 'complete'
  private readonly pins: Pins
  private pin: Pin | null
  private readonly place: BodyPlace

  constructor(pins: Pins, pin: Pin, length: number) {
    this.pins = pins
    this.pin = pin
    this.length = length
    this.place = new BodyPlace(pin.shard.memory, pin.shard.slab, pin.ref)
  }

  read(at: number): Buffer | null {
    if (at >= this.length || this.pin === null) return null
    const run = Math.min(this.place.run(at), this.length - at, pageBytes)
    const from = this.place.at(at)
    return this.pin.shard.memory.bytes.subarray(from, from + run)
  }

  whenMore(): void {}

  release(): void {
    if (this.pin === null) return
    const { pin } = this
    this.pin = null
    this.pins.release(pin)
  }
}

/** Reading a short body: a copy. */
export class CopiedReading implements BodyReading {
  readonly length: number
  readonly state = 'complete'
  private readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.length = bytes.length
  }

  read(at: number): Buffer | null {
    return at >= this.length ? null : this.bytes.subarray(at, at + pageBytes)
  }

  whenMore(): void {}

  release(): void {}
}
