// The metrics of requests by listener and route: which rows of shared memory have names, and what is written of them.
import type { RouteSpec } from '../../core/route-spec.ts'
import type { Snapshot } from '../../core/spec.ts'
import { cacheResults, implicitRoute, mirrorResults, otherRoutes } from '../../state/names.ts'
import type { TrafficTotals } from '../../state/owner-state.ts'
import { histogramSample } from './histogram-sample.ts'
import { labelText, type TextWriter } from './text-writer.ts'

/** A row of traffic counters with its names. */
export interface TrafficName {
  readonly listener: string
  readonly route: string
  readonly row: number
  /** Written as 0 while nothing was counted, so that a graph begins there. */
  readonly expected: {
    readonly requests: boolean
    readonly rateLimited: boolean
    readonly mirrored: boolean
    readonly cached: boolean
  }
}

/**
 * The rows of the HTTP listeners of a snapshot, each once: of the implicit route, of the routes, and of those that have
 * no row of their own.
 */
export function trafficNames({ listeners, routes }: Snapshot, size: { readonly listeners: number }): TrafficName[] {
  const names: TrafficName[] = []
  for (const [position, { name: listener, row: own, pool, protocol }] of listeners.entries()) {
    if (protocol !== 'http') continue
    const other = size.listeners + own
    const limited = new Set(routes.filter(hasLimit).map(({ rows }) => rows[position]))
    const mirrored = new Set(routes.filter(({ mirror }) => mirror !== null).map(({ rows }) => rows[position]))
    const cached = new Set(routes.filter(({ cache }) => cache !== null).map(({ rows }) => rows[position]))
    const add = (route: string, row: number): void => {
      names.push({
        listener,
        route,
        row,
        expected: {
          requests: row === own && pool !== '',
          rateLimited: limited.has(row),
          mirrored: mirrored.has(row),
          cached: cached.has(row),
        },
      })
    }
    add(implicitRoute, own)
    for (const { name, rows } of routes) {
      const row = rows[position]
      if (row !== undefined && row !== own && row !== other) add(name, row)
    }
    add(otherRoutes, other)
  }
  return names
}

const hasLimit = ({ rateLimits, concurrency }: RouteSpec): boolean => rateLimits.length > 0 || concurrency !== null

export interface TrafficRow extends TrafficName {
  readonly labels: string
  readonly totals: TrafficTotals
}

export const trafficRow = (name: TrafficName, totals: TrafficTotals): TrafficRow => ({
  ...name,
  labels: labelText(['listener', 'route'], [name.listener, name.route]),
  totals,
})

/** Begins a family, and gives what writes one row's samples. */
export type FamilyOfTraffic = (writer: TextWriter) => (row: TrafficRow) => void

/** By method and status; only what occurred. */
export const requestsFamily: FamilyOfTraffic = (writer) => {
  writer.family('frontdesk_http_requests_total')
  return ({ labels, totals }) => {
    for (const { method, status, count } of totals.requests)
      writer.sample(`${labels},method="${method}",code="${status < 0 ? 'other' : status}"`, count)
  }
}

export const durationFamily: FamilyOfTraffic = (writer) => {
  writer.family('frontdesk_http_request_duration_seconds')
  // With thousands of routes those that nobody asked for would be most of the text.
  return ({ labels, totals, expected }) => {
    if (totals.duration.count > 0 || expected.requests) writer.histogram(labels, histogramSample(totals.duration))
  }
}

/** Errors, refusals, copies and what the cache made of requests, of a route over all listeners. */
export function writeRoutes(writer: TextWriter, rows: readonly TrafficRow[]): void {
  const errors = new Map<string, number>()
  const rateLimited = new Map<string, number>()
  const mirrored = new Map<string, number>()
  const cached = new Map<string, number>()
  const notStored = new Map<string, number>()
  const add = (to: Map<string, number>, labels: string, count: number) => to.set(labels, (to.get(labels) ?? 0) + count)
  for (const { route, totals, expected } of rows) {
    const label = labelText(['route'], [route])
    for (const [reason, count] of Object.entries(totals.errors)) add(errors, `${label},reason="${reason}"`, count)
    if (totals.rateLimited > 0 || expected.rateLimited) add(rateLimited, label, totals.rateLimited)
    for (const result of mirrorResults) {
      const count = totals.mirrored[result] ?? 0
      if (count > 0 || expected.mirrored) add(mirrored, `${label},result="${result}"`, count)
    }
    for (const result of cacheResults) {
      const count = totals.cached[result] ?? 0
      if (count > 0 || expected.cached) add(cached, `${label},result="${result}"`, count)
    }
    for (const [reason, count] of Object.entries(totals.notStored)) add(notStored, `${label},reason="${reason}"`, count)
  }
  writer.family('frontdesk_http_request_errors_total')
  for (const [labels, count] of errors) writer.sample(labels, count)
  writer.family('frontdesk_rate_limited_total')
  for (const [labels, count] of rateLimited) writer.sample(labels, count)
  writer.family('frontdesk_mirrored_requests_total')
  for (const [labels, count] of mirrored) writer.sample(labels, count)
  writer.family('frontdesk_cache_requests_total')
  for (const [labels, count] of cached) writer.sample(labels, count)
  writer.family('frontdesk_cache_not_stored_total')
  for (const [labels, count] of notStored) writer.sample(labels, count)
}
