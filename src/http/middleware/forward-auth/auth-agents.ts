// The kept connections of a worker to authentication servers. They outlive a snapshot: after a reload nobody connects anew.
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'

/** To one server. */
const MAX_SOCKETS = 128
/** Shorter than the servers in use keep theirs; a reset all the same is tried once more on a fresh connection. */
const IDLE_MS = 4_000

export class AuthAgents {
  readonly #maxSockets: number
  readonly #byOrigin = new Map<string, HttpAgent>()

  constructor(maxSockets: number = MAX_SOCKETS) {
    this.#maxSockets = maxSockets
  }

  /** For `http:` and `https:`. */
  of({ protocol, origin }: URL): HttpAgent {
    let agent = this.#byOrigin.get(origin)
    if (agent === undefined) {
      const options = { keepAlive: true, maxSockets: this.#maxSockets, timeout: IDLE_MS }
      agent = protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options)
      this.#byOrigin.set(origin, agent)
    }
    return agent
  }

  /** Ends all connections, those in use too. */
  close(): void {
    for (const agent of this.#byOrigin.values()) agent.destroy()
    this.#byOrigin.clear()
  }
}
