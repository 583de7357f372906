// The proof of test/e2e/live-changes.test.ts for longer, run by hand: what hundreds of changes do to traffic and memory.
//   node bench/macro/live-changes.ts [changes] [requests per second] [workers]
import { run } from '../../test/support/live-changes/run.ts'
import { Stage } from '../../test/support/live-changes/stage.ts'

const [changes = 1000, perSecond = 2000, workers = 2] = process.argv.slice(2).map(Number)
const stage = await Stage.open({ workers })
const say = (text: string): void => void process.stdout.write(`${text}\n`)

const looks: { n: number; megabytes: number; descriptors: number }[] = []
function look(n: number): void {
  if (n % 100 !== 0) return
  const { rssBytes, descriptors, threads } = stage.footprint()
  const megabytes = Math.round(rssBytes / 2 ** 20)
  looks.push({ n, megabytes, descriptors })
  say(`after ${n} changes: ${megabytes} MB, ${descriptors} descriptors, ${threads} threads`)
}

try {
  const { traffic, took, before, after } = await run(stage, { changes, perSecond, warmUpMs: 3000, onChange: look })
  const seconds = traffic.elapsedMs / 1000
  say(
    `\n${changes} changes in ${Math.round(seconds)} s under ${Math.round(traffic.answered / seconds)} requests/s (${perSecond} asked for)`,
  )
  say(`${traffic.answered} answered, slowest ${Math.round(traffic.slowestMs.request)} ms`)
  say(
    `${traffic.echoes.webSockets} echoes of 50 WebSockets, ${traffic.echoes.tcpSockets} of 20 TCP connections, slowest ${Math.round(traffic.slowestMs.echo)} ms`,
  )
  say(`connections closed with an answer that said so: ${traffic.announcedCloses}`)
  say(`failed requests and closed connections: ${traffic.failures.length === 0 ? 'none' : traffic.failures.join('; ')}`)
  for (const [when, { footprint, heapBytes }] of Object.entries({ before, after })) {
    say(`${when}: ${Math.round(heapBytes / 2 ** 20)} MB in use, ${JSON.stringify(footprint)}`)
  }
  for (const [name, times] of took) {
    const sorted = [...times].sort((a, b) => a - b)
    say(
      `${name.padEnd(50)} median ${Math.round(sorted[sorted.length >> 1]!)} ms, longest ${Math.round(sorted.at(-1)!)} ms`,
    )
  }
  if (traffic.failures.length > 0) process.exitCode = 1
} catch (error) {
  say(String(error))
  say(stage.log.slice(-4000))
  process.exitCode = 1
} finally {
  await stage.close()
}
