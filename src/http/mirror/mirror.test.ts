import assert from 'node:assert/strict'
import { type ActingBackend, startActingBackend } from '../../../test/support/acting-backend.ts'
import { backendSpec, poolSpec } from '../../../test/support/control-kit.ts'
import { leakTest, type Scope } from '../../../test/support/leaks.ts'
import {
  ended,
  head as headOf,
  request,
  rst,
  startScriptedBackend,
  write,
} from '../../../test/support/scripted-backend.ts'
import { until } from '../../../test/support/wait.ts'
import type { MirrorSpec } from '../../core/route-spec.ts'
import type { PoolSpec } from '../../core/spec.ts'
import { LiveBackends } from '../../pool/live-backend.ts'
import type { PlaneContext } from '../../pool/plane-context.ts'
import { Pool } from '../../pool/pool.ts'
import { SideWork } from '../../pool/side-work.ts'
import { createSharedState } from '../../state/memory.ts'
import { OwnerState } from '../../state/owner-state.ts'
import { WorkerState } from '../../state/worker-state.ts'
import { TimerWheel } from '../../util/timer-wheel.ts'
import type { Owner } from '../http1/own-connection.ts'
import { parseRequestHead, type RequestHead } from '../http1/request-head.ts'
import { Destinations } from '../route/destination.ts'
import { Mirror } from './mirror.ts'
import type { MirrorCopy } from './mirror-copy.ts'

const client: Owner = {
  address: '192.0.2.7',
  port: 4711,
  destination: () => ({ address: '192.0.2.1', port: 80 }),
  own: null,
}
const facts = { address: '192.0.2.7', trusted: false, scheme: 'http', certificate: null } as const
const limits = {
  instanceId: 't',
  maxFields: 100,
  targetSize: 8000,
  reserved: new Set<string>(),
  certificateNames: null,
  isTrusted: () => false,
}

function headFor(text: string): RequestHead {
  const whole = `${text}Host: example.com\r\n`
  const head = parseRequestHead(whole, 0, whole.length - 2, facts, limits, { fields: null })
  assert.ok(!('retry' in head))
  return head
}

const get = headFor('GET / HTTP/1.1\r\n')
const ROW = 0

/** One pool of one backend, and all that a mirror needs of a worker. */
class Bed {
  readonly owner = new OwnerState(createSharedState({ workers: 1 }))
  readonly state = new WorkerState(this.owner.buffer, 0)
  readonly wheel = new TimerWheel({ tickMs: 5 })
  readonly sideWork = new SideWork()
  readonly live = new LiveBackends(this.state, 1000)
  readonly unexpected: unknown[] = []
  readonly failures: string[] = []
  readonly slot = this.owner.claimSlot()
  readonly mirror: Mirror
  composed = 0

  constructor(
    scope: Scope,
    port: number,
    spec: Partial<MirrorSpec> = {},
    pool: Partial<PoolSpec> = {},
    random?: () => number,
  ) {
    const poolOf = poolSpec([backendSpec(this.slot, port)], { name: 'shadow', ...pool })
    this.live.update([poolOf])
    this.wheel.start()
    const plane = {
      state: this.state,
      wheel: this.wheel,
      sideWork: this.sideWork,
      unexpected: (error: unknown) => this.unexpected.push(error),
      backendFailed: (_slot: number, error: string) => this.failures.push(error),
    } as unknown as PlaneContext
    const shadow = new Pool(poolOf, this.state, this.live)
    const pools = new Map([[poolOf.name, shadow]])
    const limits = { headerCount: 100 } as never
    const destination = new Destinations({ pools, changed: new Map(), limits, state: this.state }).of(poolOf.name, null)
    const mirror = { pool: 'shadow', share: 1, maxBody: 1000, maxActive: 10, ...spec }
    this.mirror =
      random === undefined ? new Mirror(mirror, destination, plane) : new Mirror(mirror, destination, plane, random)
    scope.defer(() => this.close())
  }

  begin(head = get): MirrorCopy | null {
    return this.mirror.begin(head, ROW)
  }

  /** A copy of a request without a body, on its way. */
  send(fields = '', head = get): void {
    const copy = this.begin(head)
    assert.ok(copy !== null)
    this.sendCopy(copy, fields, head)
  }

  sendCopy(copy: MirrorCopy, fields = '', head = get): void {
    copy.send(client, (backend, hostHeader) => {
      this.composed++
      assert.equal(hostHeader, 'preserve')
      return `${head.method} ${head.target} HTTP/1.1\r\nHost: ${backend.authority}\r\n${fields}\r\n`
    })
  }

  get results(): Readonly<Record<string, number>> {
    return this.owner.trafficTotals(ROW).mirrored
  }

  get active(): number {
    return this.owner.active(this.slot)
  }

  /** Every place and every connection is given back. */
  async idle(): Promise<void> {
    await until('no copy is under way', () => this.sideWork.count('mirror shadow') === 0)
    assert.equal(this.active, 0)
  }

  async close(): Promise<void> {
    this.sideWork.stopAll()
    await this.idle()
    this.live.closeIdle()
    this.wheel.stop()
    assert.deepEqual(this.unexpected, [])
  }
}

async function withActing(
  scope: Scope,
  spec: Partial<MirrorSpec> = {},
  pool: Partial<PoolSpec> = {},
): Promise<{ backend: ActingBackend; bed: Bed }> {
  const backend = scope.use(await startActingBackend())
  return { backend, bed: new Bed(scope, backend.port, spec, pool) }
}

leakTest(
  'a copy arrives, its answer is counted for its backend, and the connection serves the next one',
  async (scope) => {
    const { backend, bed } = await withActing(scope)
    for (const status of [200, 500, 200]) {
      bed.send(`X-Act-Status: ${status}\r\n`)
      assert.equal(bed.active, 1)
      await bed.idle()
    }
    assert.equal(backend.requests.length, 3)
    assert.equal(backend.connections, 1)
    assert.deepEqual(bed.results, { sent: 3 })
  },
)

leakTest('a body is sent when it is complete, as it came', async (scope) => {
  const { backend, bed } = await withActing(scope)
  const post = headFor('POST /p HTTP/1.1\r\nContent-Length: 10\r\n')
  const copy = bed.begin(post)!
  copy.add('01234', 5)
  assert.equal(bed.active, 0)
  copy.add('56789', 10)
  bed.sendCopy(copy, 'Content-Length: 10\r\n', post)
  await bed.idle()
  const chunked = headFor('POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n')
  const second = bed.begin(chunked)!
  for (let n = 0; n < 20; n++) second.add('1\r\nx\r\n', n + 1)
  second.add('0\r\n\r\n', 20)
  bed.sendCopy(second, 'Transfer-Encoding: chunked\r\n', chunked)
  await bed.idle()
  assert.deepEqual(
    backend.requests.map(({ method, target, body }) => [method, target, body]),
    [
      ['POST', '/p', '0123456789'],
      ['POST', '/c', 'x'.repeat(20)],
    ],
  )
})

leakTest('a body larger than may be is not mirrored, whether it is announced or turns out', async (scope) => {
  const { backend, bed } = await withActing(scope)
  assert.equal(bed.begin(headFor('POST / HTTP/1.1\r\nContent-Length: 1001\r\n')), null)
  const copy = bed.begin(headFor('POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n'))!
  copy.add('x'.repeat(1000), 1000)
  assert.ok(copy.isOpen)
  copy.add('x', 1001)
  assert.ok(!copy.isOpen)
  copy.add('x', 1002)
  bed.sendCopy(copy)
  assert.equal(bed.composed, 0)
  assert.deepEqual(bed.results, { too_large: 2 })
  await bed.idle()
  assert.equal(backend.started, 0)
})

leakTest('a request that never became complete leaves nothing; one that was sent goes on', async (scope) => {
  const { backend, bed } = await withActing(scope)
  const copy = bed.begin(headFor('POST / HTTP/1.1\r\nContent-Length: 10\r\n'))!
  copy.add('01', 2)
  copy.abandon()
  copy.abandon()
  bed.sendCopy(copy)
  await bed.idle()
  const sent = bed.begin()!
  bed.sendCopy(sent)
  sent.abandon()
  bed.sendCopy(sent)
  await bed.idle()
  assert.equal(backend.requests.length, 1)
  assert.deepEqual(bed.results, { sent: 1 })
})

leakTest('so many at once and no more, those that are being filled too', async (scope) => {
  const { backend, bed } = await withActing(scope, { maxActive: 3 })
  bed.send('X-Act-Hold: a\r\n')
  bed.send('X-Act-Hold: a\r\n')
  const filling = bed.begin(headFor('POST / HTTP/1.1\r\nContent-Length: 10\r\n'))!
  assert.equal(bed.begin(), null)
  assert.equal(bed.begin(), null)
  assert.deepEqual(bed.results, { dropped: 2 })
  filling.abandon()
  bed.send()
  backend.release('a')
  await bed.idle()
  assert.deepEqual(bed.results, { dropped: 2, sent: 3 })
})

leakTest('the share is drawn for each request; Upgrade is never mirrored', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const draws = [0.1, 0.2, 0.09, 0.99, 0]
  const bed = new Bed(scope, backend.port, { share: 0.1 }, {}, () => draws.shift()!)
  const taken = Array.from({ length: 5 }, () => {
    const copy = bed.begin()
    copy?.abandon()
    return copy !== null
  })
  assert.deepEqual(taken, [false, false, true, false, true])
  const upgrade = headFor('GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n')
  assert.equal(new Bed(scope, backend.port).begin(upgrade), null)
})

leakTest('about as many as the share says', async (scope) => {
  const bed = new Bed(scope, 1, { share: 0.25, maxActive: 10_000 })
  let count = 0
  for (let n = 0; n < 4000; n++) {
    const copy = bed.begin()
    if (copy !== null) count++
    copy?.abandon()
  }
  // Ten standard deviations.
  assert.ok(Math.abs(count - 1000) < 275, `${count}`)
})

leakTest('nobody there: the copy has failed, its backend is told of as any other', async (scope) => {
  const backend = await startActingBackend()
  const { port } = backend
  await backend.close()
  const bed = new Bed(scope, port)
  bed.send()
  await bed.idle()
  assert.deepEqual(bed.results, { failed: 1 })
  assert.deepEqual(bed.failures, ['connect_refused'])
})

leakTest('no backend may be asked: nothing is composed', async (scope) => {
  const bed = new Bed(scope, 1)
  bed.owner.setFlag(bed.slot, 1)
  bed.send()
  assert.equal(bed.composed, 0)
  await bed.idle()
  assert.deepEqual(bed.results, { dropped: 1 })
})

leakTest('one that never answers, and one that is reset, have failed', async (scope) => {
  const silent = scope.use(await startScriptedBackend([[headOf(), ended()]]))
  const { timeouts } = poolSpec([])
  const bed = new Bed(scope, silent.port, {}, { timeouts: { ...timeouts, firstByteMs: 30 } })
  bed.send()
  await bed.idle()
  assert.deepEqual(bed.results, { failed: 1 })
  const resetting = scope.use(await startScriptedBackend([[request(), rst()]]))
  const other = new Bed(scope, resetting.port)
  other.send()
  await other.idle()
  assert.deepEqual(other.results, { failed: 1 })
  assert.equal(other.owner.backendTotals(other.slot).requests[0], 1)
})

leakTest(
  'one that reads nothing: the copy waits in the kernel and for its deadline, then it is gone',
  async (scope) => {
    const deaf = scope.use(await startScriptedBackend([[]]))
    const { timeouts } = poolSpec([])
    const bed = new Bed(scope, deaf.port, { maxBody: 50_000_000 }, { timeouts: { ...timeouts, firstByteMs: 200 } })
    const length = 30_000_000
    const post = headFor(`POST / HTTP/1.1\r\nContent-Length: ${length}\r\n`)
    const copy = bed.begin(post)!
    copy.add('x'.repeat(length), length)
    void deaf.connection(0).then(
      ({ socket }) => socket.pause(),
      () => {},
    )
    bed.sendCopy(copy, `Content-Length: ${length}\r\n`, post)
    await bed.idle()
    assert.deepEqual(bed.results, { failed: 1 })
  },
)

leakTest('a long answer is not read to its end, and not waited for', async (scope) => {
  const { backend, bed } = await withActing(scope)
  bed.send('X-Act-Size: 1000000000\r\n')
  await bed.idle()
  assert.deepEqual(bed.results, { sent: 1 })
  await until('the connection is closed', () => backend.open === 0)
  bed.send('X-Act-Size: 100000000\r\nX-Act-Chunks: 1000\r\n')
  await bed.idle()
  await until('the connection is closed', () => backend.open === 0)
  assert.equal(backend.aborted, 2)
})

leakTest('a short answer in pieces is read to its end, and the connection kept', async (scope) => {
  const { backend, bed } = await withActing(scope)
  for (const fields of ['X-Act-Size: 200000\r\n', 'X-Act-Size: 100000\r\nX-Act-Chunks: 50\r\n', '']) {
    bed.send(fields)
    await bed.idle()
  }
  assert.equal(backend.connections, 1)
  assert.equal(backend.aborted, 0)
  bed.send('X-Act-Until-Close: 1\r\n')
  await bed.idle()
  await until('the connection is closed', () => backend.open === 0)
})

leakTest('an answer that is broken, or of another protocol, costs its connection', async (scope) => {
  const broken = ['HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n', 'HTTP/1.1 101 Sure\r\nUpgrade: x\r\n\r\n', 'what?\n']
  const backend = scope.use(await startScriptedBackend((n) => [request(), write(broken[n]!), ended()]))
  const bed = new Bed(scope, backend.port)
  for (const _ of broken) {
    bed.send()
    await bed.idle()
  }
  assert.deepEqual(bed.results, { failed: 3 })
  assert.equal(bed.owner.backendTotals(bed.slot).requests[0], 3)
})

leakTest('a kept connection that was closed meanwhile is replaced, once', async (scope) => {
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
  // The second request is answered by a reset on the first connection only.
  const backend = scope.use(
    await startScriptedBackend((n) =>
      n === 0 ? [request(), write(ok), request(), rst()] : [request(), write(ok), ended()],
    ),
  )
  const bed = new Bed(scope, backend.port)
  bed.send()
  await bed.idle()
  bed.send()
  await bed.idle()
  assert.deepEqual(bed.results, { sent: 2 })
  assert.equal(backend.connections.length, 2)
})

leakTest('interim answers are passed over', async (scope) => {
  const { bed } = await withActing(scope)
  bed.send('X-Act-1xx: 102,103\r\n')
  await bed.idle()
  assert.deepEqual(bed.results, { sent: 1 })
})

leakTest('when the worker closes, everything is cut, in whatever state it is', async (scope) => {
  const { backend, bed } = await withActing(scope)
  const filling = bed.begin(headFor('POST / HTTP/1.1\r\nContent-Length: 10\r\n'))!
  bed.send('X-Act-Hold: never\r\n')
  await until('it is held', () => backend.active === 1)
  bed.send()
  bed.sideWork.stopAll()
  assert.equal(bed.sideWork.count('mirror shadow'), 0)
  assert.equal(bed.active, 0)
  assert.ok(!filling.isOpen)
  await until('the connections are closed', () => backend.open === 0)
})

leakTest('a drain waits for what is under way, but not long', async (scope) => {
  const { backend, bed } = await withActing(scope)
  assert.equal(
    bed.sideWork.drain(bed.wheel, () => assert.fail()),
    true,
  )
  bed.send('X-Act-Hold: a\r\n')
  let done = 0
  assert.equal(
    bed.sideWork.drain(bed.wheel, () => done++),
    false,
  )
  await until('it is held', () => backend.active === 1)
  backend.release('a')
  await until('the drain is over', () => done === 1)
  assert.deepEqual(bed.results, { sent: 1 })
  bed.send('X-Act-Hold: never\r\n')
  assert.equal(
    bed.sideWork.drain(bed.wheel, () => done++),
    false,
  )
  await until('the drain is over', () => done === 2)
  assert.deepEqual(bed.results, { sent: 1, failed: 1 })
})

leakTest('an error while a head is composed is reported and costs the copy alone', async (scope) => {
  const { bed } = await withActing(scope)
  const fault = new Error('a bug')
  bed.begin()!.send(client, () => {
    throw fault
  })
  assert.deepEqual(bed.unexpected.splice(0), [fault])
  await bed.idle()
  assert.deepEqual(bed.results, { failed: 1 })
})

leakTest('a pool that is told of clients is told of this one, on a connection of its own', async (scope) => {
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
  const backend = scope.use(await startScriptedBackend([[headOf(), write(ok), ended()]]))
  const bed = new Bed(scope, backend.port, {}, { sendProxyProtocol: 'v1' })
  bed.send()
  await bed.idle()
  bed.send()
  await bed.idle()
  assert.equal(backend.connections.length, 2)
  const [first] = backend.connections
  assert.match(first!.received.toString('latin1'), /^PROXY TCP4 192\.0\.2\.7 192\.0\.2\.1 4711 80\r\nGET \/ HTTP/)
})
