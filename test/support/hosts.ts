// The servers that people put a proxy handler into: node:http, Express, Fastify, Hono, each as its users would.
import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { fastify } from 'fastify'
import { Hono } from 'hono'
import type { HandlerConfig, HandlerOptions, ProxyHandler } from '../../src/embed/handler.ts'
import { proxyHandler } from '../../src/embed/proxy-handler.ts'
import type { LogEvent } from '../../src/library/program-log.ts'
import { expectIdle, type Scope } from './leaks.ts'

export const hostKinds = ['node:http', 'express', 'fastify', 'hono'] as const
export type HostKind = (typeof hostKinds)[number]

export interface Host {
  readonly port: number
  readonly handler: ProxyHandler
  readonly server: Server
  /** Stops the server, then the handler; fails if a backend is still counted as busy although the clients are gone. */
  close(): Promise<void>
}

/** A configuration with these backends, without health checks. */
export const before = (backends: readonly string[], pool: object = {}): HandlerConfig => ({
  pools: { default: { backends, health_check: { method: 'none' }, ...pool } },
})

/** A server of that kind with a handler for all that comes. */
export async function startHost(
  scope: Scope,
  kind: HostKind,
  config: HandlerConfig,
  options?: HandlerOptions,
): Promise<Host> {
  const problems: string[] = []
  const log = ({ level, message }: LogEvent): void => void (level === 'error' && problems.push(message))
  const handler = proxyHandler(config, { log, ...options })
  await handler.ready
  const server = await serverOf(kind, handler)
  server.on('upgrade', handler.upgrade)
  await listening(server)
  const host = hostOf(server, handler)
  scope.defer(() => host.close().finally(() => assert.deepEqual(problems, [])))
  return host
}

/** As `startHost`, with a server that the test has made. */
export async function listenHost(scope: Scope, server: Server, handler: ProxyHandler): Promise<Host> {
  await listening(server)
  const host = hostOf(server, handler)
  scope.defer(() => host.close())
  return host
}

function hostOf(server: Server, handler: ProxyHandler): Host {
  // Of one that the test has closed there is nothing to be counted any more.
  let isClosed = false
  const closed = handler.events()
  void (async () => {
    for await (const { type } of closed) isClosed ||= type === 'closed'
  })()
  const active = (): Record<string, number> => {
    const backends = isClosed ? [] : handler.status().backends
    return Object.fromEntries(backends.map(({ url, current_connections: count }) => [`active of ${url}`, count]))
  }
  return {
    port: (server.address() as AddressInfo).port,
    handler,
    server,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await expectIdle(active).finally(() => handler.close({ graceMs: 0 }))
    },
  }
}

async function serverOf(kind: HostKind, handler: ProxyHandler): Promise<Server> {
  switch (kind) {
    case 'node:http':
      return createServer(handler)
    case 'express':
      return createServer(express().use(handler))
    case 'fastify': {
      let listener: RequestListener | undefined
      const app = fastify({
        serverFactory: (serve) => {
          listener = serve
          return createServer(serve)
        },
      })
      await app.register(handler.fastify)
      await app.ready()
      return createServer(listener!)
    }
    case 'hono':
      return createServer(getRequestListener(new Hono().all('*', handler.hono).fetch, { overrideGlobalObjects: false }))
  }
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
}
