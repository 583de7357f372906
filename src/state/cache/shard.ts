// One shard of the store, as one thread sees it.
import { Bodies, bodyCells, chunkBytesOf } from './bodies.ts'
import type { CacheMemory } from './cache-memory.ts'
import { Entries } from './entries.ts'
import { Fifo } from './fifo.ts'
import { FlightTable } from './flight-table.ts'
import { unitBytes, unitCells } from './geometry.ts'
import { Room } from './room.ts'
import { kind } from './shard-cells.ts'
import { ShardLock } from './shard-lock.ts'
import { classOf, Slab } from './slab.ts'

export class Shard {
  readonly number: number
  readonly memory: CacheMemory
  /** First cell of its header. */
  readonly base: number
  readonly lock: ShardLock
  readonly slab: Slab
  readonly fifo: Fifo
  readonly bodies: Bodies
  readonly entries: Entries
  readonly room: Room
  readonly flights: FlightTable

  constructor(memory: CacheMemory, number: number) {
    const { shardStart, shardBytes } = memory.geometry
    this.number = number
    this.memory = memory
    this.base = (shardStart + number * shardBytes) / 4
    this.lock = new ShardLock(memory.cells, this.base, memory.lane)
    this.slab = new Slab(memory, number)
    this.fifo = new Fifo(memory, number, this.slab)
    this.bodies = new Bodies(memory, this.slab)
    this.entries = new Entries(memory, number, { slab: this.slab, fifo: this.fifo, bodies: this.bodies })
    this.room = new Room(memory, number, { slab: this.slab, fifo: this.fifo, entries: this.entries })
    this.flights = new FlightTable(memory, number, { slab: this.slab, bodies: this.bodies })
  }

  /** Whether a place is one of this shard. */
  holds(ref: number): boolean {
    const start = (this.base * 4) / unitBytes
    return ref >= start && ref < start + this.memory.geometry.shardBytes / unitBytes
  }

  /** A body without pages, pinned once; its chunk has room for the tail. 0 = no memory. `length` -1 = not known. */
  beginBody(length: number): number {
    const ref = this.room.chunk(classOf(chunkBytesOf(length, this.memory.geometry.lanes)))
    if (ref === 0) return 0
    this.bodies.begin(ref, length, this.entries.nextSerial())
    this.bodies.pin(ref)
    return ref
  }

  /** Gives a body pages until it has so many, at most eight at a time. False = no memory. */
  growBody(ref: number, pages: number): boolean {
    const { cells } = this.memory
    const at = ref * unitCells + bodyCells.pages
    for (let i = 0; i < 8 && cells[at]! < pages; i++) {
      const page = this.room.page()
      if (page < 0) return false
      this.bodies.addPage(ref, page)
    }
    return true
  }

  /** A chunk for an entry, which nothing takes away while it is written. 0 = no memory. */
  chunkFor(bytes: number): number {
    const size = classOf(bytes)
    const ref = size < 0 ? 0 : this.room.chunk(size)
    if (ref !== 0) this.memory.cells[ref * unitCells] = kind.head
    return ref
  }
}
