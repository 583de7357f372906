// Forms of stored answers that are compressed here: which clients get them, and what making them may cost.
import assert from 'node:assert/strict'
import { encoderCounts } from '../../src/http/compression/encoder-turns.ts'
import { type CacheStand, cacheStand } from '../support/cache-stand.ts'
import { leakTest } from '../support/leaks.ts'
import { until } from '../support/wait.ts'

const text = 'all work and no play '.repeat(5000)
const gzip = { 'Accept-Encoding': 'gzip' }

async function stand(): Promise<CacheStand> {
  const made = await cacheStand(true, { route: { compression: { algorithms: ['gzip'] } } })
  made.answer((_request, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=60', 'Content-Type': 'text/plain', ETag: '"v"' })
    response.end(text)
  })
  return made
}

/** Compressed forms among the entries. */
function forms({ cache }: CacheStand): number {
  let count = 0
  cache.list(({ selector }) => {
    if (/^\d+ gzip /.test(selector)) count++
    return true
  })
  return count
}

leakTest('parts are those of the answer as the backend sent it, whatever forms there are', async () => {
  await using made = await stand()
  await made.get('/a')
  await until('it is compressed', () => forms(made) === 1)
  const part = await made.get('/a', { ...gzip, Range: 'bytes=4-7' })
  assert.deepEqual([part.status, part.text, part.headers['content-encoding']], [206, 'work', undefined])
  const whole = await made.get('/a', { ...gzip, Range: 'bytes=4-7', 'If-Range': '"w"' })
  assert.deepEqual([whole.status, whole.headers['content-encoding']], [200, 'gzip'])
})

leakTest('a flood of answers to be compressed makes no long queue; those that are used get their form', async () => {
  await using made = await stand()
  const paths = Array.from({ length: 300 }, (_, at) => `/${at}`)
  let most = 0
  await Promise.all(
    paths.map(async (path) => {
      await made.get(path)
      most = Math.max(most, encoderCounts().waiting + encoderCounts().running)
    }),
  )
  assert.ok(most <= 2, `${most} pieces of work in the thread pool`)
  const last = paths.at(-1)!
  // The queue was full when it came: its first client that takes the form asks for it.
  for (let tries = 0; tries < 1000 && (await made.get(last, gzip)).headers['content-length'] === undefined; tries++);
  assert.ok(Number((await made.get(last, gzip)).headers['content-length']) < 2000)
  made.cache.purge({ kind: 'prefix', prefix: `${made.proxy.url}/` }, false)
  assert.equal(forms(made), 0, 'forms are purged with what they were made of')
})
