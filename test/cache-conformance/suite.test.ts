// The suite itself: whatever is no cache, or one without rules, fails in the greater part of the cases.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { allCases, sections } from './cases.ts'
import { Origin } from './origin.ts'
import { Play, type Target } from './play.ts'

/** Cases that are over without anything going on behind the client's back. */
const cases = allCases().filter(
  ({ steps }) => !steps.some(({ background, down, clients }) => background || down || clients),
)

const target = (origin: Origin, port: number): Target => ({
  port,
  originOf: () => origin,
  prefixOf: () => '/suite',
  // One that does not move: what is stored stays as it was.
  clock: { now: Date.now, move: () => {} },
  settle: () => Promise.resolve(),
})

async function failing(cache: Target): Promise<number> {
  let count = 0
  for (const one of cases) {
    const play = new Play(cache, one)
    const observed = await play.observe()
    if (observed.some((each) => play.core(each).length > 0)) count++
  }
  return count
}

test('what stores nothing fails in most cases', async () => {
  const origin = await new Origin().up()
  const count = await failing(target(origin, origin.port))
  await origin.close()
  assert.ok(count > cases.length / 2, `${count} of ${cases.length}`)
})

test('what stores everything for ever fails in most cases', async () => {
  const origin = await new Origin().up()
  const greedy = await greedyCache(origin)
  const count = await failing(target(origin, (greedy.address() as AddressInfo).port))
  greedy.closeAllConnections()
  greedy.close()
  await origin.close()
  assert.ok(count > cases.length / 2, `${count} of ${cases.length}`)
})

test('every case asks something, and says of which sentence', () => {
  for (const { rules } of sections)
    for (const { section, text, cases } of rules) {
      assert.match(section, /^RFC \d{4} §\d/)
      assert.ok(text.length > 20, section)
      assert.ok(cases.length > 0, `${section}: ${text}`)
      for (const { id, name, steps, origin } of cases) {
        assert.match(id, /^[a-z0-9-]+$/)
        assert.ok(name.length > 1 && steps.length > 0 && origin.length > 0, id)
      }
    }
})

/** The first answer to a path is that to every later request for it. */
async function greedyCache(origin: Origin): Promise<http.Server> {
  const kept = new Map<string, { status: number; fields: string[]; body: Buffer }>()
  const server = http.createServer((request, response) => {
    const known = kept.get(request.url ?? '')
    const answer = ({ status, fields, body }: { status: number; fields: string[]; body: Buffer }): void => {
      response.sendDate = false
      response.writeHead(status, fields)
      response.end(request.method === 'HEAD' ? undefined : body)
    }
    if (known !== undefined) return answer(known)
    const { method = 'GET', url: path = '/', headers } = request
    const inner = http.request({ port: origin.port, host: '127.0.0.1', method, path, headers }, (got) => {
      const parts: Buffer[] = []
      got.on('data', (part: Buffer) => parts.push(part))
      got.on('error', () => response.destroy())
      got.on('end', () => {
        const fields = got.rawHeaders.flatMap((name, at) =>
          at % 2 === 0 && !/^(connection|content-length|transfer-encoding|trailer|keep-alive)$/i.test(name)
            ? [name, got.rawHeaders[at + 1]!]
            : [],
        )
        const entry = { status: got.statusCode ?? 0, fields, body: Buffer.concat(parts) }
        kept.set(path, entry)
        answer(entry)
      })
    })
    inner.on('error', () => response.destroy())
    request.pipe(inner)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
