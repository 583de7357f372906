// GET /events: what happens, and statistics once a second, as Server-Sent Events.
import { createRoute, z } from '@hono/zod-openapi'
import type { EventRing, NumberedEvent } from '../../event-ring.ts'
import type { FrontdeskEvent } from '../../events.ts'
import type { Stats, StatsReading } from '../../stats/stats.ts'
import type { AdminApp } from '../app.ts'
import { type FrameSource, frame, type Streams } from '../streams.ts'
import { fails, streamCaller, streams as streamOf } from './describe.ts'
import { statsView } from './stats-schemas.ts'

export interface EventDeps {
  readonly version: string
  readonly streams: Streams
  readonly ring: EventRing
  readonly stats: Pick<Stats, 'read'>
  revision(): number
}

/** Every type, for the filter; the compiler misses none. */
const known: Readonly<Record<FrontdeskEvent['type'], true>> = {
  backend_up: true,
  backend_down: true,
  backend_ejected: true,
  backend_returned: true,
  backend_added: true,
  backend_updated: true,
  backend_removed: true,
  backend_drained: true,
  config_applied: true,
  config_refused: true,
  certificate_renewed: true,
  certificate_expires: true,
  worker_restarted: true,
  cache_purged: true,
  draining: true,
  closed: true,
  problem: true,
  dropped: true,
}

export const eventTypes: readonly string[] = Object.keys(known)
const selectable: ReadonlySet<string> = new Set([...eventTypes, 'stats'])

const types = z
  .string()
  .transform((text) => text.split(',').map((type) => type.trim()))
  .superRefine((list, context) => {
    for (const type of list) {
      if (selectable.has(type)) continue
      context.addIssue({
        code: 'custom',
        message: `there is no event "${type}"; there are ${[...selectable].join(', ')}`,
      })
    }
  })
  .optional()
  .openapi({
    type: 'string',
    description: 'Only these, separated by commas; `stats` is one of them.',
    example: 'backend_up,backend_down',
  })

const query = z.strictObject({
  types,
  stats: z.enum(['0', '1']).optional().openapi({ description: '`0`: no statistics.' }),
  last_event_id: z.string().max(64).optional().openapi({
    description: 'As the field `Last-Event-ID`: what came after that event is sent first. `0`: all that is kept.',
  }),
})

const events = createRoute({
  method: 'get',
  path: '/events',
  summary: 'What happens, as it happens, and statistics once a second',
  description:
    'Server-Sent Events. First `hello`; then, after a `Last-Event-ID`, what was missed (of the last 1000 events); then ' +
    'events as they happen, and `stats` once a second. The data of each is JSON. `dropped` tells how many events are lost. ' +
    'A comment is sent every 15 s. When the process stops, `closed` is the last event.',
  request: { query },
  responses: {
    200: streamOf('A stream that ends with the process.'),
    400: fails('A parameter is wrong; `errors` names it.'),
    503: fails('As many streams are read as there may be, or the process is stopping.'),
  },
})

export function addEventCalls(app: AdminApp, deps: EventDeps): void {
  app.openAPIRegistry.register('Stats', statsView)
  app.openAPIRegistry.register('Event', eventView)
  app.openapi(events, (c) => {
    const { types: wanted, stats, last_event_id: asked } = c.req.valid('query')
    const last = c.req.header('last-event-id') ?? asked
    const filter: Filter = {
      after: last === undefined ? deps.ring.last : deps.ring.numberOf(last),
      types: wanted === undefined ? null : new Set(wanted),
      stats: stats !== '0' && (wanted === undefined || wanted.includes('stats')),
    }
    return deps.streams.answer(streamCaller(c), (wake) => new EventFrames(deps, filter, wake)) as never
  })
}

interface Filter {
  /** Number of the last event that the reader has. */
  readonly after: number
  /** null = all. */
  readonly types: ReadonlySet<string> | null
  readonly stats: boolean
}

/** The data of an event, but for what each type has of its own. */
const eventView = z
  .looseObject({
    type: z.enum(Object.keys(known) as [FrontdeskEvent['type'], ...FrontdeskEvent['type'][]]),
    at: z.iso.datetime(),
    message: z.string().openapi({ description: 'What has happened, in one sentence.' }),
    pool: z.string().optional(),
    backend: z.string().optional().openapi({ description: 'URL of a backend.' }),
    cause: z.string().optional(),
    revision: z.number().int().optional(),
  })
  .openapi('Event', {
    description: 'Data of a frame of `GET /events`; docs/guide/watching.md lists what each type has.',
  })

/** Events in one piece of the stream. */
const maxAtOnce = 100

/** What one reader gets: a place in the ring, and a place among the samples. */
class EventFrames implements FrameSource {
  readonly #ring: EventRing
  readonly #types: Filter['types']
  readonly #unwatch: () => void
  readonly #stats: StatsReading | null
  #first: string
  #sent: number

  constructor({ ring, stats, version, revision }: EventDeps, filter: Filter, wake: () => void) {
    this.#ring = ring
    this.#types = filter.types
    this.#sent = filter.after
    const hello = { instance: ring.instance, revision: revision(), version, at: new Date().toISOString() }
    this.#first = frame('hello', JSON.stringify(hello))
    this.#unwatch = ring.watch(wake)
    this.#stats = filter.stats ? stats.read(wake) : null
  }

  take(): string {
    let text = this.#first
    this.#first = ''
    const { events, lost } = this.#ring.after(this.#sent, maxAtOnce)
    if (lost > 0) text += frame('dropped', droppedView(lost))
    for (const event of events) if (this.#types?.has(event.type) !== false) text += this.#frameOf(event)
    this.#sent = events.at(-1)?.number ?? this.#sent
    const sample = this.#stats?.take() ?? null
    if (sample !== null) text += frame('stats', sample)
    // None of them was wanted, and there may be more.
    return text === '' && events.length === maxAtOnce ? this.take() : text
  }

  close(): void {
    this.#unwatch()
    this.#stats?.close()
  }

  #frameOf({ type, json, number }: NumberedEvent): string {
    return frame(type, json, this.#ring.idOf(number))
  }
}

function droppedView(count: number): string {
  const message = `${count} events were lost: this reader was too slow, or away for too long`
  return JSON.stringify({ type: 'dropped', at: new Date().toISOString(), count, message })
}
