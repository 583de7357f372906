// The handler in the forms that Fastify and Hono take. Their types are named by shape: neither is a dependency.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest, FastifyScope, HonoContext, Req, Res } from './handler.ts'

type Handle = (req: Req, res: Res) => void

/** A plug-in that takes every request of its scope, body unread: parsers of the scope around it are not touched. */
export function fastifyPlugin(handle: Handle) {
  return (scope: FastifyScope, _options: unknown, done: (error?: Error) => void): void => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null))
    const serve = (request: FastifyRequest, reply: FastifyReply): void => {
      reply.hijack()
      handle(request.raw, reply.raw)
    }
    scope.all('/', serve)
    scope.all('/*', serve)
    done()
  }
}

/** @hono/node-server's way to be told that the answer is under way already. */
const ALREADY_SENT = 'x-hono-already-sent'

export function honoHandler(handle: Handle) {
  return async ({ env }: HonoContext): Promise<Response> => {
    const { incoming, outgoing } = env as Partial<{ incoming: IncomingMessage; outgoing: ServerResponse }>
    if (incoming === undefined || outgoing === undefined) {
      throw new TypeError('the proxy handler needs Hono to be served by @hono/node-server')
    }
    const closed = new Promise((resolve) => outgoing.once('close', resolve))
    handle(incoming, outgoing)
    // Until then the request is read: the server must not tidy up behind it.
    await closed
    return new Response(null, { headers: { [ALREADY_SENT]: 'true' } })
  }
}
