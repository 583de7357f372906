// What a person has chosen in `top` (selection, order, filter, an open question), and what each key does to it. No I/O.
import type { BackendFigures } from '../stream-documents.ts'
import type { Key } from './key-decoder.ts'
import { keyOf, type TopSnapshot } from './top-data.ts'

/** What is to be done beyond the view. */
export type TopAction =
  | { readonly kind: 'quit' }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'redraw' }
  | { readonly kind: 'drain' | 'enable'; readonly backend: BackendFigures }
  | { readonly kind: 'weight'; readonly backend: BackendFigures; readonly weight: number }

type Prompt =
  | { readonly kind: 'drain'; readonly backend: BackendFigures }
  | { readonly kind: 'weight'; readonly backend: BackendFigures; readonly text: string }
  | { readonly kind: 'filter'; readonly text: string; readonly before: string }

/** Orders of the table, as `s` goes through them. */
export const sortOrders = ['configured', 'state', 'req/s', 'errors', 'p99', 'open'] as const
export type SortOrder = (typeof sortOrders)[number]

export const maxWeight = 65_535

/** Worst first. */
const stateRank: Readonly<Record<BackendFigures['state'], number>> = {
  down: 0,
  ejected: 1,
  disabled: 2,
  draining: 3,
  unknown: 4,
  up: 5,
}

const comparisons: Readonly<Record<SortOrder, ((a: BackendFigures, b: BackendFigures) => number) | null>> = {
  configured: null,
  state: (a, b) => stateRank[a.state] - stateRank[b.state],
  'req/s': (a, b) => b.rate - a.rate,
  errors: (a, b) => b.error_rate - a.error_rate || b.errors - a.errors,
  p99: (a, b) => (b.latency_ms.p99 ?? -1) - (a.latency_ms.p99 ?? -1),
  open: (a, b) => b.current_connections - a.current_connections,
}

export interface Message {
  readonly text: string
  readonly isBad: boolean
}

export class TopView {
  /** Of the selected backend; null = the first row. */
  selected: string | null = null
  filter = ''
  sort: SortOrder = 'configured'
  /** What is shown while it is paused. */
  frozen: TopSnapshot | null = null
  prompt: Prompt | null = null
  isHelpOpen = false
  message: Message | null = null
  /** Only looks; changes are refused here with words. */
  isReadOnly = false
  /** Rows that fit on the screen, for whole pages; the drawing knows. */
  pageRows = 10
  /** First row on the screen. */
  offset = 0

  /** The rows to be shown: filtered and in order. */
  rows({ backends }: TopSnapshot): readonly BackendFigures[] {
    const words = this.filter.toLowerCase().split(/\s+/).filter(Boolean)
    const kept = words.length === 0 ? [...backends] : backends.filter((one) => matches(one, words))
    const compare = comparisons[this.sort]
    return compare === null ? kept : kept.sort(compare)
  }

  /** Where the selection stands in the rows; the first row where it is not among them. */
  selectedIndex(rows: readonly BackendFigures[]): number {
    const found = rows.findIndex((row) => keyOf(row) === this.selected)
    return Math.max(0, found)
  }

  /** A key was pressed. */
  press(key: Key, snapshot: TopSnapshot): TopAction | null {
    if (key.name === 'interrupt') return { kind: 'quit' }
    if (key.name === 'suspend') return { kind: 'suspend' }
    if (key.name === 'redraw') return { kind: 'redraw' }
    if (this.isHelpOpen) {
      this.isHelpOpen = false
      return null
    }
    if (this.prompt !== null) return this.#answer(this.prompt, key)
    this.message = null
    const shown = this.frozen ?? snapshot
    return key.name === 'character' ? this.#letter(key.text, shown) : this.#move(key.name, shown)
  }

  #move(name: Key['name'], snapshot: TopSnapshot): TopAction | null {
    const steps: Partial<Record<Key['name'], number>> = {
      up: -1,
      down: 1,
      'page-up': -this.pageRows,
      'page-down': this.pageRows,
      home: Number.NEGATIVE_INFINITY,
      end: Number.POSITIVE_INFINITY,
    }
    if (name === 'escape') this.filter = ''
    const step = steps[name]
    if (step === undefined) return null
    const rows = this.rows(snapshot)
    const to = Math.min(rows.length - 1, Math.max(0, this.selectedIndex(rows) + step))
    const row = rows[to]
    if (row !== undefined) this.selected = keyOf(row)
    return null
  }

  #letter(letter: string, snapshot: TopSnapshot): TopAction | null {
    switch (letter) {
      case 'q':
        return { kind: 'quit' }
      case 'j':
        return this.#move('down', snapshot)
      case 'k':
        return this.#move('up', snapshot)
      case '?':
      case 'h':
        this.isHelpOpen = true
        return null
      case '/':
        this.prompt = { kind: 'filter', text: this.filter, before: this.filter }
        return null
      case 's':
        this.sort = sortOrders[(sortOrders.indexOf(this.sort) + 1) % sortOrders.length]!
        return null
      case 'p':
        this.frozen = this.frozen === null ? snapshot : null
        return null
      case 'd':
      case 'e':
      case 'w':
        return this.#change(letter, snapshot)
      default:
        return null
    }
  }

  #change(letter: 'd' | 'e' | 'w', snapshot: TopSnapshot): TopAction | null {
    const rows = this.rows(snapshot)
    const backend = rows[this.selectedIndex(rows)]
    if (backend === undefined) return null
    if (this.isReadOnly) {
      this.message = { text: 'read only: a change needs the full token (--token, --token-file)', isBad: true }
      return null
    }
    // The question may stay open while rows move.
    this.selected = keyOf(backend)
    if (letter === 'e') return { kind: 'enable', backend }
    this.prompt = letter === 'd' ? { kind: 'drain', backend } : { kind: 'weight', backend, text: '' }
    return null
  }

  #answer(prompt: Prompt, key: Key): TopAction | null {
    if (prompt.kind === 'drain') {
      this.prompt = null
      const isYes = key.name === 'character' && key.text.toLowerCase() === 'y'
      return isYes ? { kind: 'drain', backend: prompt.backend } : null
    }
    if (key.name === 'escape') {
      this.prompt = null
      if (prompt.kind === 'filter') this.filter = prompt.before
      return null
    }
    if (key.name === 'enter') return this.#finish(prompt)
    const text =
      key.name === 'character'
        ? prompt.text + key.text
        : key.name === 'backspace'
          ? prompt.text.slice(0, -1)
          : prompt.text
    this.prompt = { ...prompt, text }
    if (prompt.kind === 'filter') this.filter = text
    return null
  }

  #finish(prompt: Exclude<Prompt, { kind: 'drain' }>): TopAction | null {
    this.prompt = null
    if (prompt.kind === 'filter' || prompt.text === '') return null
    const weight = /^\d{1,6}$/.test(prompt.text) ? Number(prompt.text) : 0
    if (weight >= 1 && weight <= maxWeight) return { kind: 'weight', backend: prompt.backend, weight }
    this.message = { text: `a weight is a number from 1 to ${maxWeight}, not ${prompt.text}`, isBad: true }
    return null
  }
}

function matches({ pool, url, state }: BackendFigures, words: readonly string[]): boolean {
  const text = `${pool} ${url} ${state}`.toLowerCase()
  return words.every((word) => text.includes(word))
}
