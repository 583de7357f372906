// `top` at work: figures from the stream of events, keys from the terminal, changes to the admin API, all on one page.
import type { ReadStream, WriteStream } from 'node:tty'
import { type AdminTarget, callAdmin } from '../admin-client.ts'
import { follow, type StreamNews } from '../event-stream.ts'
import type { HelloDocument, StatsDocument } from '../stream-documents.ts'
import type { Terminal } from '../terminal.ts'
import { FullScreen } from './full-screen.ts'
import type { Key } from './key-decoder.ts'
import { TopData } from './top-data.ts'
import { drawTop, type Link } from './top-screen.ts'
import { type TopAction, TopView } from './top-view.ts'

/** Ages on the page grow also while nothing comes. */
const CLOCK_MS = 1_000

export interface TopOptions {
  readonly target: AdminTarget
  readonly terminal: Terminal
  readonly input: ReadStream
  readonly output: WriteStream
}

/** Resolves when the person has left it. Rejects with a CliError, the terminal given back. */
export async function runTop(o: TopOptions): Promise<void> {
  const top = new Top(o)
  await top.run()
}

class Top {
  readonly #o: TopOptions
  readonly #data = new TopData()
  readonly #view = new TopView()
  readonly #end = new AbortController()
  readonly #screen: FullScreen
  #link: Link = { kind: 'connecting' }
  #isDrawing = false

  constructor(options: TopOptions) {
    this.#o = options
    this.#screen = new FullScreen({
      input: options.input,
      output: options.output,
      onKey: (key) => this.#press(key),
      onChange: () => this.#drawSoon(),
      onEnd: () => this.#end.abort(),
    })
  }

  async run(): Promise<void> {
    const { target } = this.#o
    // A first call, so that what is wrong is said on the ordinary screen.
    this.#view.isReadOnly = await isReadOnly(target)
    const { signal } = this.#end
    const clock = setInterval(() => this.#drawSoon(), CLOCK_MS)
    this.#screen.open()
    try {
      this.#drawSoon()
      for await (const news of follow(target, { path: '/events?types=stats', signal })) this.#take(news)
    } finally {
      clearInterval(clock)
      this.#screen.close()
    }
  }

  #take(news: StreamNews): void {
    if (news.kind === 'open') this.#link = { kind: 'live' }
    else if (news.kind === 'lost') {
      const sinceMs = this.#link.kind === 'lost' ? this.#link.sinceMs : Date.now()
      this.#link = { kind: 'lost', reason: news.reason, sinceMs }
    } else this.#event(news.event.type, news.event.data)
    this.#drawSoon()
  }

  #event(type: string, data: string): void {
    if (type === 'hello') this.#data.hello(JSON.parse(data) as HelloDocument)
    else if (type === 'stats') this.#data.stats(JSON.parse(data) as StatsDocument)
  }

  #press(key: Key): void {
    const action = this.#view.press(key, this.#data.snapshot())
    if (action === null) this.#drawSoon()
    else if (action.kind === 'quit') this.#end.abort()
    else if (action.kind === 'suspend') this.#screen.suspend()
    else if (action.kind === 'redraw') {
      this.#screen.clear()
      this.#drawSoon()
    } else void this.#change(action)
  }

  async #change(action: Exclude<TopAction, { kind: 'quit' | 'suspend' | 'redraw' }>): Promise<void> {
    const { url, pool } = action.backend
    const change =
      action.kind === 'weight' ? { weight: action.weight } : { state: action.kind === 'drain' ? 'drain' : 'up' }
    const done = {
      drain: `${url} is draining: e puts it back into service`,
      enable: `${url} is in service again`,
      weight: `${url} has weight ${action.kind === 'weight' ? action.weight : ''} now`,
    }[action.kind]
    try {
      await callAdmin(this.#o.target, { method: 'PATCH', path: '/backends', body: { url, pool, ...change } })
      this.#view.message = { text: done, isBad: false }
    } catch (error) {
      this.#view.message = { text: (error as Error).message, isBad: true }
    }
    this.#drawSoon()
  }

  /** Once for all that comes in one turn of the event loop. */
  #drawSoon(): void {
    if (this.#isDrawing) return
    this.#isDrawing = true
    setImmediate(() => {
      this.#isDrawing = false
      const { width, height } = this.#screen
      const { base } = this.#o.target
      const input = { data: this.#data.snapshot(), view: this.#view, link: this.#link, place: base.origin }
      this.#screen.draw(drawTop({ ...input, width, height, nowMs: Date.now(), paint: this.#o.terminal.paint }))
    })
  }
}

/** Whether this token may only look. */
async function isReadOnly(target: AdminTarget): Promise<boolean> {
  const { body } = await callAdmin(target, { path: '/whoami', expects: 'role' })
  return (body as { role?: string }).role === 'read'
}
