// Answers of a doorway that speaks HTTPS: to plain HTTP, and to a client whose certificate is not good enough.

const SENTENCE =
  'This port speaks HTTPS and the request was plain HTTP. Ask for the same address with https:// in front.\n'

const answer = (sentence: string): string =>
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n' +
  `Content-Length: ${sentence.length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${sentence}`

const ANSWER = answer(SENTENCE)

/**
 * The whole answer as latin1 text. It is the same for all: nothing of the request has been read, and there is no
 * Strict-Transport-Security in it, which must not be said without TLS (RFC 6797 §7.2).
 */
export function plainHttpAnswer(): string {
  return ANSWER
}

/**
 * What a client hears whose certificate was refused, once its connection is secure: Node lets no alert say it. `why` is
 * latin1 text without line ends.
 */
export function refusedCertificateAnswer(why: string): string {
  return answer(`The client certificate was refused: ${why}.\n`)
}
