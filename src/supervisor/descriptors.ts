// How many sockets this process may open.
import fs from 'node:fs'

const FALLBACK = 4096

/** The soft limit on open files (Node raises it to the hard one at start). */
export function descriptorLimit(): number {
  try {
    const line = fs.readFileSync('/proc/self/limits', 'utf8').match(/^Max open files\s+(\S+)/m)
    const limit = Number(line?.[1])
    return Number.isFinite(limit) ? limit : FALLBACK
  } catch {
    return FALLBACK
  }
}

/**
 * Clients that one of `workers` may hold: half of what is left after a reserve, since each may need a connection to a
 * backend. Staying below the limit keeps accept() from failing, which libuv answers by dropping connections.
 */
export function clientsPerWorker(limit: number, workers: number): number {
  const reserve = Math.min(256, Math.floor(limit / 4))
  return Math.max(1, Math.floor((limit - reserve) / 2 / Math.max(1, workers)))
}

/** Connections of the admin API: a part of that reserve, so that whoever attacks it takes none from clients. */
export function adminConnections(limit: number): number {
  return Math.max(8, Math.min(256, Math.floor(limit / 16)))
}
