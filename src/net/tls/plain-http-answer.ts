// What somebody gets who speaks plain HTTP to a port that speaks HTTPS.

const SENTENCE =
  'This port speaks HTTPS and the request was plain HTTP. Ask for the same address with https:// in front.\n'

const ANSWER =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n' +
  `Content-Length: ${SENTENCE.length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${SENTENCE}`

/**
 * The whole answer as latin1 text. It is the same for all: nothing of the request has been read, and there is no
 * Strict-Transport-Security in it, which must not be said without TLS (RFC 6797 §7.2).
 */
export function plainHttpAnswer(): string {
  return ANSWER
}
