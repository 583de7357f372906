// The bytes of a keyboard in raw mode → keys by name.

/** A named key, or one printable character. */
export type Key =
  | { readonly name: NamedKey; readonly text?: undefined }
  | { readonly name: 'character'; readonly text: string }

export type NamedKey =
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'backspace'
  | 'interrupt'
  | 'suspend'
  | 'redraw'

const sequences: Readonly<Record<string, NamedKey>> = {
  '[A': 'up',
  OA: 'up',
  '[B': 'down',
  OB: 'down',
  '[5~': 'page-up',
  '[6~': 'page-down',
  '[H': 'home',
  OH: 'home',
  '[1~': 'home',
  '[7~': 'home',
  '[F': 'end',
  OF: 'end',
  '[4~': 'end',
  '[8~': 'end',
}

const controls: Readonly<Record<string, NamedKey>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x03': 'interrupt',
  '\x1a': 'suspend',
  '\x0c': 'redraw',
}

/** ESC [ parameters letter, or ESC O letter: what a function key sends. */
const SEQUENCE = /^\x1b(?:\[[0-9;]*[ -/]*[@-~]|O[A-Za-z])/
/** The beginning of one. */
const UNFINISHED = /^\x1b(?:\[[0-9;]*[ -/]*|O)?$/

export class KeyDecoder {
  #decoder = new TextDecoder()
  #rest = ''

  /** An escape at the very end may be a key, or the beginning of a sequence: it is kept until `flush`. */
  push(piece: Uint8Array): Key[] {
    let text = this.#rest + this.#decoder.decode(piece, { stream: true })
    const keys: Key[] = []
    while (text !== '' && !UNFINISHED.test(text)) {
      const [sequence] = SEQUENCE.exec(text) ?? []
      if (sequence !== undefined) {
        const name = sequences[sequence.slice(1)]
        if (name !== undefined) keys.push({ name })
        text = text.slice(sequence.length)
        continue
      }
      const character = String.fromCodePoint(text.codePointAt(0)!)
      const name = character === '\x1b' ? 'escape' : controls[character]
      if (name !== undefined) keys.push({ name })
      else if (character >= ' ') keys.push({ name: 'character', text: character })
      text = text.slice(character.length)
    }
    this.#rest = text
    return keys
  }

  /** To be called when nothing has come for a moment. */
  flush(): Key[] {
    const isEscape = this.#rest !== ''
    this.#rest = ''
    return isEscape ? [{ name: 'escape' }] : []
  }

  get isWaiting(): boolean {
    return this.#rest !== ''
  }
}
