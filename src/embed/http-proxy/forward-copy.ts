// The copy of a request for `forward`. What becomes of it concerns nobody.
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { hasBody } from '../node-request.ts'
import { copyTo } from './copy-to.ts'
import type { ProxyTarget, ServerOptions } from './options.ts'
import { outgoingOptions } from './outgoing.ts'
import { errorWith } from './proxy-error.ts'
import { parseTarget } from './target.ts'

/** What may wait for a slow copy; then it is given up, so that it never slows the request itself. */
const MAX_WAITING_BYTES = 1024 * 1024

export interface Copied {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly options: ServerOptions
}

export class ForwardCopy {
  readonly #copied: Copied
  #request: ClientRequest | null = null

  constructor(copied: Copied) {
    this.#copied = copied
  }

  /** Sends its head, and all of it where there is no body. */
  begin(forward: ProxyTarget): void {
    const { req, res, options } = this.#copied
    try {
      this.#request = ask(req, forward, options)
      if (options.buffer === undefined && !hasBody(req)) this.#request.end()
      // With the client gone nothing more of the body comes.
      else res.on('close', () => req.complete || this.#request?.destroy())
    } catch {
      // No request can be made of it.
    }
  }

  /** Takes the body along, which somebody else reads at his own speed. */
  listen(): void {
    const { req, options } = this.#copied
    const copy = this.#request
    const source = options.buffer ?? req
    if (copy === null || copy.writableEnded) return
    source.on('data', (bytes) => {
      if (copy.destroyed) return
      copy.write(bytes)
      if (copy.writableLength > MAX_WAITING_BYTES) copy.destroy()
    })
    source.on('end', () => void copy.end())
  }

  /** There is no target: reads the body, then the client gets an empty answer. */
  serve(): void {
    const { req, res, options } = this.#copied
    const copy = this.#request
    const source = options.buffer ?? req
    if (copy === null || copy.writableEnded) {
      res.end()
      return
    }
    source.on('end', () => void res.end())
    copyTo(copy, source, () => copy.destroy())
  }
}

function ask(req: IncomingMessage, forward: ProxyTarget, options: ServerOptions): ClientRequest {
  const target = parseTarget(forward)
  const { expect: _, ...outgoing } = outgoingOptions(req, target, options, { isUpgrade: false, awaitsContinue: false })
  const copy = (target.isSecure ? httpsRequest : httpRequest)(outgoing)
  copy.on('error', () => {})
  copy.on('response', (answer) => answer.on('error', () => {}).resume())
  copy.on('upgrade', (_answer, socket) => socket.destroy())
  const { proxyTimeout } = options
  if (proxyTimeout !== undefined) copy.setTimeout(proxyTimeout, () => copy.destroy(errorWith('ETIMEDOUT', 'silent')))
  return copy
}
