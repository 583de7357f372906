// How long the body of an answer is.
import { BodyReader } from './body.ts'
import type { ResponseHead } from './response-head.ts'

/** RFC 9112 §6.3. A 205 has no body, whatever it says (RFC 9110 §15.3.6). */
export function answerBody(method: string, head: ResponseHead): BodyReader {
  const { status } = head
  if (method === 'HEAD' || status === 204 || status === 304 || status === 205) return new BodyReader('none', 0)
  if (head.chunked) return new BodyReader('chunked', 0)
  return head.contentLength < 0 ? new BodyReader('close', 0) : new BodyReader('length', head.contentLength)
}
