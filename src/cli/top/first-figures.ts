// The figures of all backends, once: those of the first whole second that somebody looks.
import type { AdminTarget } from '../admin-client.ts'
import { follow } from '../event-stream.ts'
import { CliError } from '../exit-code.ts'
import type { HelloDocument, StatsDocument } from '../stream-documents.ts'
import { TopData } from './top-data.ts'

const LIMIT_MS = 10_000
/** There are rates from the second sample on. */
const SAMPLES = 2

export async function firstFigures(target: AdminTarget): Promise<TopData> {
  const signal = AbortSignal.timeout(LIMIT_MS)
  const data = new TopData()
  let samples = 0
  for await (const news of follow(target, { path: '/events?types=stats', signal })) {
    if (news.kind !== 'event') continue
    const { type, data: text } = news.event
    if (type === 'hello') data.hello(JSON.parse(text) as HelloDocument)
    if (type !== 'stats') continue
    data.stats(JSON.parse(text) as StatsDocument)
    if (++samples === SAMPLES) return data
  }
  throw new CliError(`${target.base.origin}/events gave no figures within ${LIMIT_MS / 1000} s`, {
    hint: '"frontdesk status" shows what is known without them',
  })
}
