// A password as a person types it, unseen and twice, or as another program writes it.

import { createInterface } from 'node:readline'
import { type Readable, Writable } from 'node:stream'
import { CliError, ExitCode } from './exit-code.ts'

/** Where it comes from, and where questions go: not to stdout, which may be on its way into a file. */
export interface PasswordSource {
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly prompt: Writable
}

/** Longer than any, and short enough to be sent in a header field. */
const MAX_BYTES = 1024

/** Throws CliError for what nobody could log in with. */
export async function readPassword(source: PasswordSource): Promise<string> {
  const password = source.input.isTTY === true ? await typed(source) : await piped(source.input)
  if (password === '') throw new CliError('the password is empty')
  if (Buffer.byteLength(password) > MAX_BYTES) throw new CliError(`the password is longer than ${MAX_BYTES} bytes`)
  if (/[\0-\x1f\x7f-\x9f]/.test(password)) {
    throw new CliError('the password has a line break or another control character', {
      hint: 'Basic authentication cannot carry these (RFC 7617). It is to be on one line.',
    })
  }
  return password
}

async function typed({ input, prompt }: PasswordSource): Promise<string> {
  // The editing of lines (backspace, Ctrl-U) without the echo.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output, terminal: true, historySize: 0 })
  const typedLines = lines[Symbol.asyncIterator]()
  const ask = async (question: string): Promise<string> => {
    prompt.write(question)
    const line = await typedLines.next()
    prompt.write('\n')
    // Ctrl-C and Ctrl-D.
    if (line.done === true) throw new CliError('nothing was hashed', { exitCode: ExitCode.forced })
    return line.value
  }
  try {
    const first = await ask('Password: ')
    if (first !== (await ask('The same again: '))) throw new CliError('the two are not the same')
    return first
  } finally {
    lines.close()
  }
}

/** All of it; the line break at its end is not meant. */
async function piped(input: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of input) {
    chunks.push(chunk as Buffer)
    bytes += (chunk as Buffer).length
    if (bytes > MAX_BYTES + 2) break
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}
