// A control plane of its own over a configuration file, with its admin API and without workers: what control tests stand on.
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts'
import { Control, type ControlOptions } from '../../src/control/control.ts'
import { EventBus } from '../../src/control/event-bus.ts'
import type { FrontdeskEvent } from '../../src/control/events.ts'
import { FakePort, MemoryLog } from './control-kit.ts'
import { within } from './wait.ts'

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
  /** The body parsed; tests say what they expect. */
  json<T = Record<string, unknown>>(): T
}

export class ControlBed {
  readonly dir: string
  readonly file: string
  readonly stateFile: string
  readonly events: FrontdeskEvent[] = []
  port = new FakePort()
  log = new MemoryLog()
  control!: Control
  #options: Partial<ControlOptions> = {}

  /** Ends with the test. */
  static async start(t: TestContext, config: unknown, options: Partial<ControlOptions> = {}): Promise<ControlBed> {
    const bed = new ControlBed()
    t.after(async () => {
      await bed.control?.close()
      rmSync(bed.dir, { recursive: true, force: true })
    })
    bed.write(config)
    bed.#options = options
    await bed.start()
    return bed
  }

  private constructor() {
    this.dir = mkdtempSync(join(tmpdir(), 'frontdesk-control-'))
    this.file = join(this.dir, 'config.json')
    this.stateFile = join(this.dir, 'frontdesk.state.json')
  }

  /** The configuration file; a text as it is. */
  write(config: unknown): void {
    writeFileSync(this.file, typeof config === 'string' ? config : `${JSON.stringify(config, null, 2)}\n`)
  }

  load = (): LoadedConfig => loadConfig({ path: this.file, env: {}, allowAnyPort: true })

  async start(): Promise<void> {
    const bus = new EventBus()
    void this.#gather(bus)
    const { port, log, load } = this
    this.control = await Control.create({ port, log, load, events: bus, loaded: load(), ...this.#options })
    await this.control.start()
  }

  /** As if the process had ended and begun anew. */
  async restart(): Promise<void> {
    await this.control.close()
    this.port = new FakePort()
    this.log = new MemoryLog()
    await this.start()
  }

  async #gather(bus: EventBus): Promise<void> {
    for await (const event of bus.read()) this.events.push(event)
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const length = String(Buffer.byteLength(payload ?? ''))
    const typed = payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': length }
    const outgoing = request({
      ...this.control.adminAddress()!,
      method,
      path,
      agent: false,
      headers: { ...typed, ...headers },
    })
    outgoing.end(payload)
    const [response] = await within(`${method} ${path}`, once(outgoing, 'response'))
    const answer = await text(response)
    return { status: response.statusCode, headers: response.headers, text: answer, json: () => JSON.parse(answer) }
  }

  get state(): string {
    return readFileSync(this.stateFile, 'utf8')
  }

  /** Everything that a change could touch, to be compared. */
  picture(): unknown {
    const { revision, whole, changes, states, history } = this.control.inForce
    return structuredClone({
      revision,
      whole,
      changes,
      states,
      history,
      snapshot: this.control.snapshot.generation,
      applied: this.port.applied.length,
      slots: this.slots(),
    })
  }

  slots(): Record<string, number> {
    const pools = this.control.snapshot.pools
    return Object.fromEntries(pools.flatMap((pool) => pool.backends.map((one) => [`${one.pool} ${one.url}`, one.slot])))
  }
}
