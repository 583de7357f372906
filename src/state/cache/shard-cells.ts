// Cells of a shard's header, beside its lock. All are changed under the lock only.

export const shardCells = {
  /** Pages from here on were never used. */
  nextPage: 16,
  /** First of the free pages, + 1. */
  freePage: 17,
  serial: 18,
  /** Entries evicted so far: the clock of the ghosts. */
  evictions: 19,
  smallHead: 20,
  smallTail: 21,
  mainHead: 22,
  mainTail: 23,
  smallUnits: 24,
  mainUnits: 25,
  smallCount: 26,
  mainCount: 27,
  usedUnits: 28,
  /** First of the free flights: its first cell, counted from the shard's. */
  freeFlight: 29,
  /** Flights from here on were never used. */
  nextFlight: 30,
  flightHand: 31,
  pageHand: 32,
  filling: 33,
  /** First page of each class that has room, + 1. */
  partial: 64,
} as const

/** Numbers (f64) of a shard's header. */
export const shardNumbers = { stored: 20, evicted: 21, purged: 22, payload: 23 } as const

/** Cells of a page's description. */
export const pageCells = {
  /** 0 free, -1 part of a body, else class + 1. */
  use: 0,
  /** Chunks in use. */
  used: 1,
  /** First chunk that was given back: its place. */
  free: 2,
  /** Page + 1: of the same list, or the next of the same body. */
  next: 3,
  prev: 4,
  /** Chunks that were ever in use here. */
  carved: 5,
} as const

/** First cell of a chunk: what it is. */
export const kind = { free: 0, entry: 1, body: 2, head: 3 } as const
