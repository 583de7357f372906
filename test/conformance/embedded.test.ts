// Every case of responses/ against what runs inside node:http: the proxy handler, and the API of http-proxy.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe as group, test } from 'node:test'
import { createProxyServer } from '../../src/embed/http-proxy/index.ts'
import { proxyHandler } from '../../src/embed/proxy-handler.ts'
import { readCases } from './cases.ts'
import { Lane, type LaneProxy, Lanes } from './lanes.ts'
import { runResponse } from './run-response.ts'

const LANES = 8

const embedded: Readonly<Record<string, (url: string) => Promise<LaneProxy>>> = {
  proxyHandler: async (url) => {
    const timeouts = { connect: '2s', first_byte: '2s', idle: '2s' }
    const handler = proxyHandler({
      pools: { default: { backends: [url], health_check: { method: 'none' }, timeouts } },
    })
    return serving(handler, async () => void (await handler.close({ graceMs: 0 })))
  },
  'frontdesk/http-proxy': (url) => {
    const proxy = createProxyServer({ target: url, proxyTimeout: 2000 })
    return serving(
      (req, res) => proxy.web(req, res),
      async () => {},
    )
  },
}

async function serving(listener: RequestListener, close: () => Promise<void>): Promise<LaneProxy> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await close()
    },
  }
}

/** http-proxy shows what a target says it is made of, and so does its API here. */
const elsewhere: Readonly<Record<string, readonly string[]>> = { 'frontdesk/http-proxy': ['resp-hdr-server-hidden'] }

for (const [name, start] of Object.entries(embedded)) {
  const cases = readCases('responses').filter((one) => elsewhere[name]?.includes(one.name) !== true)
  group(`responses through ${name}`, { concurrency: LANES }, () => {
    let lanes: Lanes
    before(async () => {
      lanes = await Lanes.start(LANES, () => Lane.before(start))
    })
    after(() => lanes.close())

    for (const one of cases) {
      test(`${one.group}: ${one.name}`, () => lanes.with((lane) => runResponse(lane, one, 'at once')))
    }
  })
}
