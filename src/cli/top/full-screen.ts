// The terminal as one page: raw keys, the alternate screen, and all of it given back however the program ends.
import { writeSync } from 'node:fs'
import type { ReadStream, WriteStream } from 'node:tty'
import { type Key, KeyDecoder } from './key-decoder.ts'

const STDOUT_FD = 1
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J'
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l'
/** An escape that nothing follows for so long is the key. */
const ESCAPE_MS = 50
/** Until a stop that does not come (a process group without a shell) is given up. */
const STOP_MS = 200

export interface FullScreenOptions {
  readonly input: ReadStream
  readonly output: WriteStream
  onKey(key: Key): void
  /** The size has changed, or the page was away: draw anew. */
  onChange(): void
  /** A signal asks to end. */
  onEnd(signal: NodeJS.Signals): void
}

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

export class FullScreen {
  readonly #o: FullScreenOptions
  readonly #keys = new KeyDecoder()
  readonly #undo: (() => void)[] = []
  #shown: readonly string[] = []
  #isEntered = false
  #escapeTimer: NodeJS.Timeout | undefined

  constructor(options: FullScreenOptions) {
    this.#o = options
  }

  get width(): number {
    return this.#o.output.columns || 80
  }

  get height(): number {
    return this.#o.output.rows || 24
  }

  open(): void {
    const { input, output } = this.#o
    this.#listen(process, 'exit', () => this.#leave())
    // Before Node prints the error, which would be lost with the page.
    this.#listen(process, 'uncaughtExceptionMonitor', () => this.#leave())
    for (const signal of endSignals) this.#listen(process, signal, () => this.#o.onEnd(signal))
    this.#listen(process, 'SIGCONT', () => this.#resume())
    this.#listen(process, 'SIGTSTP', () => this.suspend())
    this.#listen(output, 'resize', () => this.#redraw())
    this.#listen(input, 'data', (piece: Buffer) => this.#read(piece))
    this.#enter()
    input.resume()
  }

  close(): void {
    for (const undo of this.#undo.splice(0)) undo()
    clearTimeout(this.#escapeTimer)
    this.#leave()
    this.#o.input.pause()
  }

  /** Writes the lines that differ from what stands there, in one go. */
  draw(lines: readonly string[]): void {
    if (!this.#isEntered) return
    let text = ''
    const count = Math.max(lines.length, this.#shown.length)
    for (let i = 0; i < count; i++) {
      const line = lines[i] ?? ''
      // Cleared before: after a full line the cursor stands on its last character.
      if (line !== this.#shown[i]) text += `\x1b[${i + 1};1H\x1b[2K${line}\x1b[0m`
    }
    this.#shown = [...lines]
    if (text !== '') this.#o.output.write(text)
  }

  /** Forgets what stands on the page. */
  clear(): void {
    this.#shown = []
    if (this.#isEntered) this.#o.output.write('\x1b[2J')
  }

  /** Ctrl-Z: gives the terminal back and stops, as the whole job does; goes on when it is continued. */
  suspend(): void {
    if (!this.#isEntered) return
    this.#leave()
    const handlers = process.listeners('SIGTSTP')
    process.removeAllListeners('SIGTSTP')
    process.kill(0, 'SIGTSTP')
    setTimeout(() => {
      for (const handler of handlers) process.on('SIGTSTP', handler)
      this.#resume()
    }, STOP_MS)
  }

  #resume(): void {
    if (this.#undo.length === 0 || this.#isEntered) return
    this.#enter()
    this.#redraw()
  }

  #enter(): void {
    this.#isEntered = true
    this.#o.input.setRawMode(true)
    this.#shown = []
    this.#o.output.write(ENTER)
  }

  /** At once, without the queue of the stream: the process may be about to end. */
  #leave(): void {
    if (!this.#isEntered) return
    this.#isEntered = false
    try {
      this.#o.input.setRawMode(false)
      writeSync(STDOUT_FD, LEAVE)
    } catch {
      // The terminal has gone away.
    }
  }

  #redraw(): void {
    this.clear()
    this.#o.onChange()
  }

  #read(piece: Buffer): void {
    clearTimeout(this.#escapeTimer)
    for (const key of this.#keys.push(piece)) this.#o.onKey(key)
    if (!this.#keys.isWaiting) return
    this.#escapeTimer = setTimeout(() => {
      for (const key of this.#keys.flush()) this.#o.onKey(key)
    }, ESCAPE_MS)
  }

  #listen(emitter: NodeJS.EventEmitter, name: string, listener: (...args: never[]) => void): void {
    emitter.on(name, listener as () => void)
    this.#undo.push(() => emitter.removeListener(name, listener as () => void))
  }
}
