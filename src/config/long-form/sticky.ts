// How a client stays at a backend, as the long form writes it.
import { formatDuration } from '../../util/duration.ts'
import type { StickyConfig } from '../config.ts'

export function stickyForm({ by, name, ttlMs, secret }: StickyConfig): Record<string, unknown> {
  const ttl = formatDuration(ttlMs)
  if (by === 'ip') return { by, ttl }
  if (by === 'header') return { by, header: name, ttl }
  return { by, cookie: name, ttl, ...(secret !== null && { secret }) }
}
