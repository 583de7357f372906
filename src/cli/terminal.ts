// The two output streams as the commands use them: safe when the reader has gone away, coloured when a person reads.
import { styleText } from 'node:util'

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold' | 'inverse'

/** Where a command writes. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Paints for stdout; unchanged when stdout is no terminal or NO_COLOR is set. */
  paint(colour: Colour, text: string): string
  readonly isTerminal: boolean
  /** Aborts when nobody reads stdout any more (`frontdesk tail | head`). */
  readonly gone?: AbortSignal
  /** Resolves when the reader of stdout has taken everything, or nobody will: at an exit the rest would be lost. */
  flushed?(): Promise<void>
}

/** The process's own streams. A closed pipe (`frontdesk status | head -1`) silences the stream and ends nothing. */
export function processTerminal(): Terminal {
  const gone = new AbortController()
  process.stdout.on('error', () => gone.abort())
  return {
    gone: gone.signal,
    out: writerTo(process.stdout),
    err: writerTo(process.stderr),
    paint: (colour, text) => styleText(colour, text, { stream: process.stdout }),
    isTerminal: process.stdout.isTTY === true,
    flushed: () => flushed(process.stdout),
  }
}

/** A pipe takes 64 KB at once. A signal ends the wait: the reader may be one that never goes on. */
async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return
  const { promise, resolve } = Promise.withResolvers<void>()
  stream.once('close', resolve).write('', () => resolve())
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  await promise
}

/** A write function for a stream that may break at any time (EPIPE, EIO after a terminal hung up). */
export function writerTo(stream: NodeJS.WritableStream): (text: string) => void {
  let broken = false
  stream.on('error', () => {
    broken = true
  })
  return (text) => {
    if (!broken) stream.write(text)
  }
}

/** Columns padded to their widest cell, two spaces apart; colour codes do not count. `right` names right-aligned columns. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, width(cell))
    })
  }
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const padding = ' '.repeat((widths[column] ?? 0) - width(cell))
        return right.includes(column) ? padding + cell : cell + padding
      })
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

function width(text: string): number {
  return text.replace(/\x1b\[[0-9;]*m/g, '').length
}

/** "1 backend", "3 backends". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
