// Shorthand for the bytes of ordinary messages.

type Fields = Readonly<Record<string, string | number>>

const lines = (fields: Fields): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')

/** A request without a body. */
export function get(target: string, fields: Fields = {}): string {
  return `GET ${target} HTTP/1.1\r\n${lines({ Host: 't.example', ...fields })}\r\n`
}

/** A POST with Content-Length; `length` may lie. */
export function post(target: string, body: string, fields: Fields = {}, length = body.length): string {
  return `POST ${target} HTTP/1.1\r\n${lines({ Host: 't.example', 'Content-Length': length, ...fields })}\r\n${body}`
}

/** The head of a chunked POST; chunks follow. */
export function postChunked(target: string, fields: Fields = {}): string {
  return `POST ${target} HTTP/1.1\r\n${lines({ Host: 't.example', 'Transfer-Encoding': 'chunked', ...fields })}\r\n`
}

/** An answer with Content-Length; `length` may lie. */
export function answer(body: string, fields: Fields = {}, status = '200 OK', length = body.length): string {
  return `HTTP/1.1 ${status}\r\n${lines({ 'Content-Length': length, ...fields })}\r\n${body}`
}

/** The head of a chunked answer; chunks follow. */
export function answerChunked(fields: Fields = {}): string {
  return `HTTP/1.1 200 OK\r\n${lines({ 'Transfer-Encoding': 'chunked', ...fields })}\r\n`
}

/** One chunk. */
export function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`
}

/** The last chunk. */
export const lastChunk = '0\r\n\r\n'
