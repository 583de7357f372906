// What the compiler knows of proxyHandler and of frontdesk/http-proxy; judged by `npm run check`.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { test } from 'node:test'
import { expectTypeOf } from 'expect-type'
import type { RequestHandler } from 'express'
import type { FastifyInstance } from 'fastify'
import {
  type ApplyResult,
  type Backends,
  type FrontdeskConfig,
  type HandlerConfig,
  type HandlerError,
  type HandlerErrorCode,
  type ProxyHandler,
  proxyHandler,
} from 'frontdesk'
import httpProxy, { createProxyServer, type ProxyServer, type ServerOptions } from 'frontdesk/http-proxy'
import type { Handler } from 'hono'

test('a handler is what servers and frameworks take', () => {
  expectTypeOf(proxyHandler).returns.toEqualTypeOf<ProxyHandler>()
  expectTypeOf<ProxyHandler>().toExtend<AsyncDisposable>()
  expectTypeOf<ProxyHandler>().toExtend<RequestListener>()
  expectTypeOf<ProxyHandler>().toExtend<(req: Http2ServerRequest, res: Http2ServerResponse) => void>()
  expectTypeOf<ProxyHandler>().toExtend<RequestHandler>()
  expectTypeOf<ProxyHandler['hono']>().toExtend<Handler>()
  const register = (app: FastifyInstance, handler: ProxyHandler) => app.register(handler.fastify, { prefix: '/api' })
  expectTypeOf(register).toBeFunction()
})

test('its configuration is a file\u2019s, without what listens', () => {
  expectTypeOf<HandlerConfig>().toEqualTypeOf<Omit<FrontdeskConfig, 'port' | 'listeners' | 'tls' | 'workers'>>()
  // @ts-expect-error the program's server listens
  const config: HandlerConfig = { port: 8080 }
  expectTypeOf(config).toBeObject()
  expectTypeOf<ProxyHandler['backends']>().toEqualTypeOf<Backends>()
  expectTypeOf<ProxyHandler['reload']>().returns.resolves.toEqualTypeOf<ApplyResult>()
  expectTypeOf<HandlerError['code']>().toEqualTypeOf<HandlerErrorCode>()
  expectTypeOf<HandlerError['status']>().toBeNumber()
})

test('http-proxy: the object, its options, its events', () => {
  expectTypeOf(createProxyServer).returns.toEqualTypeOf<ProxyServer>()
  expectTypeOf(httpProxy.createProxyServer).toEqualTypeOf<typeof createProxyServer>()
  expectTypeOf<ServerOptions['changeOrigin']>().toEqualTypeOf<boolean | undefined>()
  // @ts-expect-error no such option
  const options: ServerOptions = { targett: 'http://localhost' }
  expectTypeOf(options).toBeObject()
  const listen = (proxy: ProxyServer): void => {
    proxy.on('proxyRes', (proxyRes, req, res) => {
      expectTypeOf(proxyRes).toEqualTypeOf<IncomingMessage>()
      expectTypeOf(req).toEqualTypeOf<IncomingMessage>()
      expectTypeOf(res).toEqualTypeOf<ServerResponse>()
    })
    proxy.on('error', (error) => expectTypeOf(error.code).toEqualTypeOf<string | undefined>())
  }
  expectTypeOf(listen).toBeFunction()
})
