// Traffic from a process of its own: requests at a steady rate, WebSockets and TCP connections that are never let go of.
import { connect, type Socket } from 'node:net'

export interface TrafficOptions {
  readonly web: number
  readonly tcp: number
  readonly perSecond: number
  readonly connections: number
  readonly webSockets: number
  readonly tcpSockets: number
}

/** What has come of it so far. */
export interface TrafficReport {
  readonly asked: number
  readonly answered: number
  /** Requests that were due while every connection was busy. */
  readonly late: number
  /** From the first request to the last. */
  readonly elapsedMs: number
  readonly echoes: { readonly webSockets: number; readonly tcpSockets: number }
  /** The longest that any request, and any echo, took. */
  readonly slowestMs: { readonly request: number; readonly echo: number }
  /** Connections that were closed as an answer had announced it: no failure, but nothing that a change may cost. */
  readonly announcedCloses: number
  /** Every request that failed, and every connection that closed. */
  readonly failures: readonly string[]
}

const host = '127.0.0.1'
const tickMs = 5
const echoEveryMs = 200
const echoDeadlineMs = 5000

class Traffic {
  readonly #o: TrafficOptions
  readonly #free: Requests[] = []
  readonly #failures: string[] = []
  readonly #echoes = { webSockets: 0, tcpSockets: 0 }
  readonly #slowest = { request: 0, echo: 0 }
  #asked = 0
  #answered = 0
  #late = 0
  #announcedCloses = 0
  #startedMs = 0
  #lastMs = 0
  #ended = false

  constructor(options: TrafficOptions) {
    this.#o = options
  }

  async start(): Promise<void> {
    const { webSockets, tcpSockets, connections } = this.#o
    await Promise.all([
      ...Array.from({ length: webSockets }, (_, i) => this.#openWebSocket(i)),
      ...Array.from({ length: tcpSockets }, (_, i) => this.#openTcp(i)),
    ])
    for (let i = 0; i < connections; i++) this.#free.push(new Requests(this.#o.web, this.#outcome))
    this.#startedMs = performance.now()
    setInterval(() => this.#ask(), tickMs)
  }

  report(): TrafficReport {
    return {
      asked: this.#asked,
      answered: this.#answered,
      late: this.#late,
      elapsedMs: this.#lastMs - this.#startedMs,
      echoes: { ...this.#echoes },
      slowestMs: { ...this.#slowest },
      announcedCloses: this.#announcedCloses,
      failures: this.#failures.slice(0, 50),
    }
  }

  end(): void {
    this.#ended = true
  }

  #due = 0

  #ask(): void {
    const now = performance.now()
    if (this.#ended) return
    const due = Math.floor(((now - this.#startedMs) / 1000) * this.#o.perSecond)
    for (; this.#due < due; this.#due++) {
      const connection = this.#free.pop()
      if (connection === undefined) {
        this.#late++
        continue
      }
      this.#asked++
      connection.ask()
    }
    this.#lastMs = now
  }

  readonly #outcome = (connection: Requests | null, problem: string | null, tookMs: number): void => {
    if (connection !== null) this.#free.push(connection)
    if (problem === null) {
      this.#answered++
      this.#slowest.request = Math.max(this.#slowest.request, tookMs)
      if (connection?.isLast === true) this.#announcedCloses++
    } else if (!this.#ended) this.#failures.push(problem)
  }

  #openWebSocket(index: number): Promise<void> {
    const socket = new WebSocket(`ws://${host}:${this.#o.web}/ws`)
    const echo = this.#echo(`WebSocket ${index}`, 'webSockets', (text) => socket.send(text))
    socket.onmessage = ({ data }) => echo.got(String(data))
    socket.onclose = ({ code }) => this.#closed(`WebSocket ${index}`, String(code))
    return new Promise((resolve) => {
      socket.onopen = () => {
        echo.start()
        resolve()
      }
    })
  }

  #openTcp(index: number): Promise<void> {
    const socket = connect(this.#o.tcp, host)
    const echo = this.#echo(`TCP ${index}`, 'tcpSockets', (text) => socket.write(`${text}\n`))
    let rest = ''
    socket.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('latin1')).split('\n')
      rest = lines.pop()!
      for (const line of lines) echo.got(line)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => this.#closed(`TCP ${index}`, error.code ?? error.message))
    socket.on('close', () => this.#closed(`TCP ${index}`, 'end'))
    return new Promise((resolve) => {
      socket.on('connect', () => {
        echo.start()
        resolve()
      })
    })
  }

  #closed(what: string, why: string): void {
    if (!this.#ended) this.#failures.push(`${what} was closed (${why})`)
  }

  /** Sends a text that is never the same, and waits for it to come back. */
  #echo(what: string, kind: keyof TrafficReport['echoes'], send: (text: string) => void) {
    let sentMs = 0
    let waiting: string | null = null
    let count = 0
    const next = (): void => {
      if (this.#ended) return
      const now = performance.now()
      if (waiting !== null && now - sentMs > echoDeadlineMs) {
        this.#failures.push(`${what} got no echo within ${echoDeadlineMs} ms`)
        waiting = null
      }
      if (waiting !== null) return
      waiting = `${what} ${count++}`
      sentMs = now
      send(waiting)
    }
    const got = (text: string): void => {
      // The demo backend greets first.
      if (text !== waiting) {
        if (count > 0 && text.startsWith(what)) this.#failures.push(`${what} got ${text} in place of ${waiting}`)
        return
      }
      this.#echoes[kind]++
      this.#slowest.echo = Math.max(this.#slowest.echo, performance.now() - sentMs)
      waiting = null
    }
    return { got, start: () => void setInterval(next, echoEveryMs) }
  }
}

type Outcome = (connection: Requests | null, problem: string | null, tookMs: number) => void

/** One kept connection with one request at a time; opened anew only after it has failed. */
class Requests {
  readonly #port: number
  readonly #outcome: Outcome
  #socket: Socket
  #text = ''
  #sentMs = 0
  #isBusy = false
  /** The answer has said that the connection ends with it. */
  isLast = false

  constructor(port: number, outcome: Outcome) {
    this.#port = port
    this.#outcome = outcome
    this.#socket = this.#open()
  }

  ask(): void {
    if (this.isLast) {
      this.isLast = false
      this.#socket = this.#open()
    }
    this.#isBusy = true
    this.#sentMs = performance.now()
    this.#socket.write(`GET /load HTTP/1.1\r\nHost: localhost:${this.#port}\r\n\r\n`)
  }

  #open(): Socket {
    const socket = connect(this.#port, host)
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#read(chunk.toString('latin1')))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (this.isLast || socket !== this.#socket) return
      const wasBusy = this.#isBusy
      this.#isBusy = false
      this.#text = ''
      this.#socket = this.#open()
      this.#outcome(
        wasBusy ? this : null,
        `a connection was closed ${wasBusy ? 'in a request' : 'between requests'}`,
        0,
      )
    })
    return socket
  }

  #read(text: string): void {
    this.#text += text
    const head = this.#text.indexOf('\r\n\r\n')
    if (head === -1) return
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#text.slice(0, head))
    const end = head + 4 + Number(length?.[1] ?? 0)
    if (this.#text.length < end) return
    const status = this.#text.slice(9, 12)
    const fields = this.#text.slice(0, head + 2)
    const body = this.#text.slice(head + 4, end)
    this.#text = this.#text.slice(end)
    this.#isBusy = false
    this.isLast = /\r\nconnection: *close\r\n/i.test(fields)
    const isGood = status === '200' && body.startsWith('http-')
    this.#outcome(this, isGood ? null : `${status} ${body.slice(0, 80)}`, performance.now() - this.#sentMs)
  }
}

type Call = { readonly start: TrafficOptions } | 'report' | 'end'

if (process.send !== undefined) {
  let traffic: Traffic | undefined
  process.on('message', async (call: Call) => {
    if (typeof call === 'object') {
      traffic = new Traffic(call.start)
      await traffic.start()
    } else if (call === 'end') traffic?.end()
    process.send?.(traffic?.report())
  })
  process.on('disconnect', () => process.exit())
}
