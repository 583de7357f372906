// What is measured and how: CPU time and memory of a process tree from /proc, wrk and the paced generator as load,
// and the check that a proxy gives the right answers before its speed is of interest.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { fileURLToPath } from 'node:url'
import { bodyBytes } from './backend.ts'
import { runToEnd } from './processes.ts'

/** USER_HZ, the unit of /proc/<pid>/stat; 100 on every Linux that Node runs on. */
const microsecondsPerTick = 10_000

export interface TreeUsage {
  /** User and system time, the reaped children's too. */
  readonly cpuUs: number
  readonly rssKiB: number
  /** Sum of the high-water marks of all processes of the tree. */
  readonly peakKiB: number
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly p50Us: number
  readonly p99Us: number
}

export interface WrkOptions {
  readonly url: string
  readonly cpus: string
  readonly seconds: number
  readonly connections: number
  /** Ask the proxy to close the connection after each answer. */
  readonly closeEach?: boolean
}

export interface PaceOptions {
  /** The generator's binary, see `buildGo`. */
  readonly binary: string
  readonly port: number
  readonly path: string
  readonly cpus: string
  readonly seconds: number
  readonly connections: number
  /** Mean requests per second, whatever the proxy does. */
  readonly rate: number
}

export interface PaceResult extends LoadResult {
  /** Requests that were due in this time; fewer completed means the proxy cannot keep up. */
  readonly offered: number
}

/** CPU time and memory of a process and all its descendants. */
export function treeUsage(root: number): TreeUsage {
  let ticks = 0
  let rssKiB = 0
  let peakKiB = 0
  for (const [pid, stat] of processTree(root)) {
    ticks += stat.ticks
    const status = readText(`/proc/${pid}/status`)
    rssKiB += kibibytes(status, 'VmRSS')
    peakKiB += kibibytes(status, 'VmHWM')
  }
  return { cpuUs: ticks * microsecondsPerTick, rssKiB, peakKiB }
}

/** Sets the high-water marks of a tree to what it uses now (needs the same user; silently kept where it is refused). */
export function resetPeak(root: number): void {
  for (const pid of processTree(root).keys()) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, '5')
    } catch {
      // The mark then covers the time since the process started.
    }
  }
}

/** Closed-loop load by wrk with one thread. Throws when it saw a socket error or an answer other than 2xx and 3xx. */
export async function runWrk(o: WrkOptions): Promise<LoadResult> {
  const script = fileURLToPath(new URL('load/report.lua', import.meta.url))
  const command = ['wrk', '-t1', `-c${o.connections}`, `-d${o.seconds}s`, '--timeout', '10s', '-s', script]
  if (o.closeEach) command.push('-H', 'Connection: close')
  const done = await runToEnd([...command, o.url], o.cpus, (o.seconds + 30) * 1000)
  const line = done.stdout.split('\n').find((text) => text.startsWith('JSON '))
  if (line === undefined) throw new Error(`wrk failed: ${done.stderr || done.stdout}`)
  const result = JSON.parse(line.slice(5)) as Record<
    'requests' | 'durationUs' | 'p50Us' | 'p99Us' | 'errors' | 'non2xx',
    number
  >
  if (result.errors > 0 || result.non2xx > 0 || result.requests === 0) {
    throw new Error(`wrk: ${result.requests} answers, ${result.errors} socket errors, ${result.non2xx} not 2xx`)
  }
  return { requests: result.requests, seconds: result.durationUs / 1e6, p50Us: result.p50Us, p99Us: result.p99Us }
}

/** Open-loop load at a fixed rate with random (but always the same) arrivals; latency counts from when a request was due. */
export async function runPace(o: PaceOptions): Promise<PaceResult> {
  const command = [o.binary, '-address', `127.0.0.1:${o.port}`, '-path', o.path, '-rate', String(o.rate)]
  command.push('-seconds', String(o.seconds), '-connections', String(o.connections))
  const done = await runToEnd(command, o.cpus, (o.seconds + 30) * 1000)
  if (done.code !== 0) throw new Error(`pace failed: ${done.stderr}`)
  const result = JSON.parse(done.stdout) as Record<
    'offered' | 'completed' | 'errors' | 'seconds' | 'p50Us' | 'p99Us',
    number
  >
  if (result.errors > 0 || result.completed === 0) {
    throw new Error(`pace: ${result.completed} answers, ${result.errors} errors`)
  }
  return { ...result, requests: result.completed }
}

/** Throws unless the answer is 200 with exactly the body that the backend gives, over a kept connection and again. */
export async function checkAnswer(proxyPort: number, backendPort: number, path: string): Promise<void> {
  const expected = await fetchBody(backendPort, path)
  if (expected.body.length !== bodyBytes[path]) throw new Error(`backend: ${path} has ${expected.body.length} bytes`)
  for (let i = 0; i < 2; i++) {
    const answer = await fetchBody(proxyPort, path)
    if (answer.status !== 200) throw new Error(`${path}: status ${answer.status}`)
    if (!answer.body.equals(expected.body)) throw new Error(`${path}: wrong body (${answer.body.length} bytes)`)
  }
}

function fetchBody(port: number, path: string): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, timeout: 5000 }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }))
      response.on('error', reject)
    })
    request.on('timeout', () => request.destroy(new Error(`${path}: no answer in 5 s`)))
    request.on('error', reject)
  })
}

interface ProcessStat {
  readonly parent: number
  readonly ticks: number
}

function processTree(root: number): Map<number, ProcessStat> {
  const all = new Map<number, ProcessStat>()
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : null
    if (stat !== null) all.set(Number(name), stat)
  }
  const tree = new Map<number, ProcessStat>()
  const queue = [root]
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    const stat = all.get(pid)
    if (stat === undefined) continue
    tree.set(pid, stat)
    for (const [child, { parent }] of all) if (parent === pid) queue.push(child)
  }
  if (!tree.has(root)) throw new Error('the proxy has ended')
  return tree
}

function readStat(pid: number): ProcessStat | null {
  const text = readText(`/proc/${pid}/stat`)
  if (text === '') return null
  // The name in parentheses may hold spaces; the fields after it start with the state (field 3 of proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  return { parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) }
}

function kibibytes(status: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
}

/** '' when the process has just ended. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
