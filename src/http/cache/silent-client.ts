// The client of an exchange that nobody waits for: a stored answer is validated, and what the backend says is for the store alone.
import type { Endpoint, TlsFacts } from '../../net/arrival.ts'
import type { Handle } from '../../net/native.ts'
import { Wire, type WireEvents } from '../../net/wire.ts'
import type { PlaneContext } from '../../pool/plane-context.ts'
import type { SideJob } from '../../pool/side-work.ts'
import type { ExchangeClient } from '../exchange.ts'
import type { BackendConnection } from '../http1/backend-side.ts'

/** Takes everything and keeps nothing. */
class SilentWire extends Wire {
  readonly reusesBuffers = false
  protected readonly writesAtOnce = true

  write(): void {}
  writeBytes(): void {}
  protected writePooled(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {
    this.closed = true
  }
  reset(): void {
    this.closed = true
  }
  detach(): Handle {
    throw new Error('nobody is at the other end')
  }
  setNoDelay(): void {}
}

const deaf: WireEvents = { onData() {}, onEnd() {}, onDrain() {}, onClose() {}, onFault() {} }

/** Speaks for the client whose request made somebody ask: backends are told of that one. */
export class SilentClient implements ExchangeClient, SideJob {
  readonly kind = 'cache'
  readonly wire: Wire = new SilentWire(deaf)
  readonly address: string
  readonly port: number
  readonly trusted: boolean
  readonly isSecure: boolean
  readonly tls: TlsFacts | null
  readonly leaves = false
  own: BackendConnection | null = null
  /** Ends its exchange. */
  onStop: () => void = () => {}
  readonly #endpoint: Endpoint
  readonly #plane: PlaneContext

  constructor(client: ExchangeClient, plane: PlaneContext) {
    this.address = client.address
    this.port = client.port
    this.trusted = client.trusted
    this.isSecure = client.isSecure
    this.tls = client.tls
    this.#endpoint = client.destination()
    this.#plane = plane
    plane.sideWork.add(this)
  }

  destination(): Endpoint {
    return this.#endpoint
  }

  stop(): void {
    this.onStop()
  }

  exchangeEnded(): void {
    this.own?.closeIdle()
    this.own = null
    this.#plane.sideWork.remove(this)
  }

  becomeTunnel(): void {}
  takeStash(): null {
    return null
  }
  resumeBody(): void {}
  expectWithin(): void {}
}
