// The programs that make load: each is run to its end and throws when an answer was wrong, so that a number always stands
// for work that was done.
import { fileURLToPath } from 'node:url'
import { buildGo } from './build-go.ts'
import { tlsSuite } from './certificate.ts'
import { runToEnd } from './processes.ts'

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly p50Us: number
  readonly p99Us: number
}

/** Common to all: where to, and for how long. The host is 127.0.0.1. */
export interface LoadOptions {
  readonly port: number
  readonly path: string
  readonly cpus: string
  readonly seconds: number
  readonly connections: number
}

export interface WrkOptions extends LoadOptions {
  /** https. */
  readonly secure: boolean
  /** Ask the proxy to close the connection after each answer. */
  readonly closeEach: boolean
}

export interface PaceOptions extends LoadOptions {
  /** Mean requests per second, whatever the proxy does; without it as many as it answers (a closed loop). */
  readonly rate?: number
  /**
   * `unique`: each request has a number after its path that none had before. `listed`: the lines of a file in turn, from
   * line `from` on, the first after the last; with `once` it ends when each has been asked for, however long it takes.
   */
  readonly paths?:
    | { readonly kind: 'unique' }
    | { readonly kind: 'listed'; readonly file: string; readonly from: number; readonly once: boolean }
}

export interface PaceResult extends LoadResult {
  /** Requests that were due in this time; fewer completed means the proxy cannot keep up. */
  readonly offered: number
}

export interface HandshakeOptions extends LoadOptions {
  readonly resume: boolean
}

/** What a load of this project prints about itself. */
interface GoReport {
  readonly completed: number
  readonly errors: number
  readonly seconds: number
  readonly p50Us: number
  readonly p99Us: number
}

/** Closed-loop load by wrk with one thread. Throws when it saw a socket error or an answer other than 2xx and 3xx. */
export async function runWrk(o: WrkOptions): Promise<LoadResult> {
  const script = fileURLToPath(new URL('load/report.lua', import.meta.url))
  const command = ['wrk', '-t1', `-c${o.connections}`, `-d${o.seconds}s`, '--timeout', '10s', '-s', script]
  if (o.closeEach) command.push('-H', 'Connection: close')
  command.push(`${o.secure ? 'https' : 'http'}://127.0.0.1:${o.port}${o.path}`)
  const done = await runToEnd(command, o.cpus, (o.seconds + 30) * 1000)
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
  const options = ['-rate', String(o.rate ?? 0), ...pathOptions(o.paths)]
  const result = await runGo<GoReport & { offered: number }>('pace', o, options)
  return { ...result, requests: result.completed }
}

function pathOptions(paths: PaceOptions['paths']): string[] {
  if (paths === undefined) return []
  if (paths.kind === 'unique') return ['-unique']
  return ['-list', paths.file, '-from', String(paths.from), ...(paths.once ? ['-once'] : [])]
}

/**
 * Closed-loop load of TLS connections with one request on each. Throws unless every one had the agreed parameters and did
 * a full handshake, or with `resume` an abbreviated one.
 */
export async function runHandshakes(o: HandshakeOptions): Promise<LoadResult> {
  type Report = GoReport & { resumed: number; negotiated: Readonly<Record<string, number>> }
  const result = await runGo<Report>('handshakes', o, o.resume ? ['-resume'] : [])
  const { completed, resumed, negotiated } = result
  if (resumed !== (o.resume ? completed : 0)) throw new Error(`${resumed} of ${completed} sessions were resumed`)
  if (negotiated[`TLS 1.3 ${tlsSuite}`] !== completed) throw new Error(`negotiated ${JSON.stringify(negotiated)}`)
  return { ...result, requests: completed }
}

async function runGo<R extends GoReport>(name: string, o: LoadOptions, more: readonly string[]): Promise<R> {
  const command = [buildGo(`load/${name}`), '-address', `127.0.0.1:${o.port}`, '-path', o.path]
  command.push('-seconds', String(o.seconds), '-connections', String(o.connections), ...more)
  const done = await runToEnd(command, o.cpus, (o.seconds + 30) * 1000)
  if (done.code !== 0) throw new Error(`${name} failed: ${done.stderr}`)
  const result = JSON.parse(done.stdout) as R & { firstError?: string }
  const { completed, errors, firstError } = result
  if (errors > 0 || completed === 0) {
    throw new Error(`${name}: ${completed} answers, ${errors} errors${firstError ? ` (${firstError})` : ''}`)
  }
  return result
}
