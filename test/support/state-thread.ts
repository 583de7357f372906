// A worker thread that hammers shared memory, and the way to start some and wait for what they report.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { BackendSpec, StrategyName } from '../../src/core/spec.ts'
import { WorkerState } from '../../src/state/worker-state.ts'

/** What a thread does. */
export type ThreadTask =
  | { readonly kind: 'enter'; readonly times: number; readonly max: number }
  | { readonly kind: 'enter-for-ever'; readonly max: number }
  | {
      readonly kind: 'pick'
      readonly times: number
      readonly strategy: StrategyName
      readonly backends: readonly BackendSpec[]
    }
  /** Takes `times` of each of so many keys, all threads at about the same keys, the clock standing still. */
  | ({ readonly kind: 'rate-keys' } & AtTheSameKeys & RateOfTask)
  /** Opens each of so many keys `times` times, where `max` may be open, and closes none. */
  | ({ readonly kind: 'count-keys'; readonly max: number } & AtTheSameKeys)
  /** Takes of one key as fast as it can for so long: reports [let through, refused, last time in µs]. */
  | ({ readonly kind: 'rate-clock'; readonly forUs: number } & RateOfTask)
  | { readonly kind: 'rate-for-ever' }

interface RateOfTask {
  readonly intervalUs: number
  readonly toleranceUs: number
}

interface AtTheSameKeys {
  /** A number for every eight keys, on which all threads meet. */
  readonly meeting: SharedArrayBuffer
  readonly threads: number
  readonly keys: number
  readonly times: number
}

export interface ThreadInput {
  readonly buffer: SharedArrayBuffer
  readonly workerId: number
  readonly task: ThreadTask
}

/** Counts that a thread reports; what they mean depends on the task. */
export type ThreadReport = readonly number[]

/** Starts a thread; `ready` when it stands before its task, `go` begins it, `report` is what it found. */
export async function startThread(input: ThreadInput): Promise<{ worker: Worker; go(): Promise<ThreadReport> }> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { stateThread: input } })
  await once(worker, 'message')
  return {
    worker,
    async go() {
      const report = once(worker, 'message')
      worker.postMessage('go')
      return (await report)[0] as ThreadReport
    },
  }
}

/** Takes and gives back one place of each kind: [highest count seen at the backend, taken of each kind]. */
function takeEach(state: WorkerState, max: number): number[] {
  let highest = 0
  const took = [0, 0, 0]
  if (state.enter(0, max)) {
    took[0]!++
    highest = state.active(0)
    state.leave(0)
  }
  if (state.connectionOpened(0, max)) {
    took[1]!++
    state.connectionClosed(0)
  }
  if (state.ipConnectionOpened(7, 7, max)) {
    took[2]!++
    state.ipConnectionClosed(7, 7)
  }
  if (state.concurrencyEnter(7, 7, max)) state.concurrencyLeave(7, 7)
  if (state.retryBegin(0, max)) state.retryEnd(0)
  return [highest, ...took]
}

/** Holds as many places as it gets for a moment; reports [highest count seen, places taken of each kind, rounds]. */
function hammer(state: WorkerState, times: number, max: number): number[] {
  const report = [0, 0, 0, 0]
  for (let i = 0; i < times; i++) {
    let held = 0
    while (held < 4 && state.enter(0, max)) held++
    report[0] = Math.max(report[0]!, state.active(0))
    const [seen, ...took] = takeEach(state, max)
    report[0] = Math.max(report[0]!, seen!)
    took.forEach((n, kind) => {
      report[kind + 1]! += n
    })
    state.backendFinished(0, 200, 300)
    while (held-- > 0) state.leave(0)
  }
  return report
}

async function picks(state: WorkerState, task: Extract<ThreadTask, { kind: 'pick' }>): Promise<number[]> {
  const { strategies } = await import('../../src/balancer/table.ts')
  const picker = strategies[task.strategy].build({ backends: task.backends, cursor: 0, state })
  const counts = task.backends.map(() => 0)
  const selection = { hash: 0, tried: [] }
  for (let i = 0; i < task.times; i++) {
    const backend = picker.pick(selection)
    if (backend) counts[task.backends.findIndex(({ slot }) => slot === backend.slot)]!++
    if (backend) state.enter(backend.slot, 0)
  }
  return counts
}

/** How often each key was let through. */
function bringKeys(task: AtTheSameKeys, isLet: (key: number) => boolean): number[] {
  const meeting = new Int32Array(task.meeting)
  const counts = new Array<number>(task.keys).fill(0)
  for (let key = 0; key < task.keys; key++) {
    if (key % 8 === 0) {
      Atomics.add(meeting, key >> 3, 1)
      // Not for long: whoever has no processor now need not be waited for.
      for (let i = 0; i < 20_000 && Atomics.load(meeting, key >> 3) < task.threads; i++);
    }
    for (let i = 0; i < task.times; i++) if (isLet(key)) counts[key]!++
  }
  return counts
}

function rateClock(state: WorkerState, task: Extract<ThreadTask, { kind: 'rate-clock' }>): number[] {
  const counts = [0, 0]
  const firstUs = state.nowUs()
  let nowUs = firstUs
  // Whoever was not running for a while takes first what was left for it.
  for (let passed = true; passed || nowUs < firstUs + task.forUs; ) {
    nowUs = state.nowUs()
    passed = state.rateTake(1, 2, { ...task, nowUs }) > 0
    counts[passed ? 0 : 1]!++
  }
  return [...counts, nowUs]
}

/** Many keys of few sets, each new most of the time. */
function rateForEver(state: WorkerState): never {
  const question = { nowUs: 0, intervalUs: 10, toleranceUs: 0 }
  for (let i = 0; ; i++) {
    question.nowUs = state.nowUs()
    state.rateTake(i % 1013, i, question)
    state.requestStarted(0)
    state.requestFinished(0, 0, 0, 200, 1)
  }
}

if (!isMainThread && workerData?.stateThread !== undefined) {
  const { buffer, workerId, task } = workerData.stateThread as ThreadInput
  const state = new WorkerState(buffer, workerId)
  parentPort!.once('message', async () => {
    if (task.kind === 'pick') parentPort!.postMessage(await picks(state, task))
    else if (task.kind === 'enter') parentPort!.postMessage(hammer(state, task.times, task.max))
    else if (task.kind === 'rate-keys') {
      const isLet = (key: number) => state.rateTake(key * 7, key * 13, { ...task, nowUs: 5e6 }) > 0
      parentPort!.postMessage(bringKeys(task, isLet))
    } else if (task.kind === 'count-keys') {
      parentPort!.postMessage(bringKeys(task, (key) => state.concurrencyEnter(key * 7, key * 13, task.max)))
    } else if (task.kind === 'rate-clock') parentPort!.postMessage(rateClock(state, task))
    else {
      parentPort!.postMessage([])
      if (task.kind === 'rate-for-ever') rateForEver(state)
      for (;;) hammer(state, 1000, task.max)
    }
  })
  parentPort!.postMessage('ready')
}
