// The sockets that one worker listens on, by address: which listener they belong to may change while they stay open.
import type { ListenerSpec } from '../core/spec.ts'
import { Acceptor, type AcceptTarget } from '../net/acceptor.ts'
import { OpenError } from './open-error.ts'

/** What is bound for a listener, as text: listeners of the same place can hand it on. '' = nothing, it is inherited. */
export function placeOf({ host, port, ipv6Only, socketPath, inherited }: ListenerSpec): string {
  if (inherited !== null) return ''
  return socketPath !== null ? `unix:${socketPath}` : `${host} ${port}${ipv6Only ? ' ipv6' : ''}`
}

export type Opened = ReadonlyMap<string, Acceptor>

export class ListeningSockets {
  readonly #reusePort: boolean
  readonly #open = new Map<string, Acceptor>()
  /** Of those that are open. */
  readonly #targets = new Map<Acceptor, AcceptTarget>()
  readonly #retiring = new Set<Promise<void>>()

  /** `reusePort`: other threads listen on the same addresses. */
  constructor(reusePort: boolean) {
    this.#reusePort = reusePort
  }

  /**
   * Opens the places of these listeners that are not open yet; connections wait there until `settle`. Those to an address
   * that is served already go on as before: the new socket is one of several there, or nearer to them. Rejects with an
   * OpenError, having given up what it opened.
   */
  async prepare(listeners: readonly ListenerSpec[]): Promise<Opened> {
    const opened = new Map<string, Acceptor>()
    try {
      for (const spec of listeners) {
        const place = placeOf(spec)
        if (!this.#open.has(place)) opened.set(place, await this.#openOne(spec))
      }
      return opened
    } catch (error) {
      await this.abandon(opened)
      throw error
    }
  }

  /** What was opened is given up: who waits there is turned away; who would have been served without it, is. */
  async abandon(opened: Opened): Promise<void> {
    await Promise.all([...opened.values()].map((acceptor) => acceptor.retire()))
  }

  /** Opens a Unix socket in place of another worker's of ours. Rejects with an OpenError. */
  async takeOver(spec: ListenerSpec, target: AcceptTarget): Promise<void> {
    const acceptor = await this.#openOne(spec, true)
    this.#open.set(placeOf(spec), acceptor)
    this.#serve(acceptor, target)
  }

  /** What was opened is ours; every place goes to its listener, and those that nobody has any more are given up. */
  settle(
    opened: Opened,
    targets: ReadonlyMap<string, { readonly spec: ListenerSpec; readonly target: AcceptTarget }>,
  ): void {
    for (const [place, acceptor] of opened) this.#open.set(place, acceptor)
    for (const [place, acceptor] of this.#open) {
      const owner = targets.get(place)
      if (owner === undefined) this.#retire(place, acceptor)
      else this.#serve(acceptor, owner.target)
    }
  }

  #serve(acceptor: Acceptor, target: AcceptTarget): void {
    this.#targets.set(acceptor, target)
    acceptor.serve(target)
  }

  /** Who serves connections to this address now. */
  #servedAt(address: string, port: number): AcceptTarget | null {
    let wide: AcceptTarget | null = null
    for (const [acceptor, target] of this.#targets) {
      if (!acceptor.takesIn(address, port)) continue
      // As the kernel chooses: a socket at the very address before one at all of them.
      if (acceptor.bound?.address === address) return target
      wide ??= target
    }
    return wide
  }

  setMode(spec: ListenerSpec): void {
    this.#open.get(placeOf(spec))?.setMode(spec.socketMode)
  }

  /** Gives all of them up; resolves when nobody can come in any more. */
  async retireAll(): Promise<void> {
    for (const [place, acceptor] of this.#open) this.#retire(place, acceptor)
    await Promise.all(this.#retiring)
  }

  close(): void {
    for (const acceptor of this.#open.values()) acceptor.close()
    this.#open.clear()
    this.#targets.clear()
  }

  #retire(place: string, acceptor: Acceptor): void {
    this.#open.delete(place)
    this.#targets.delete(acceptor)
    const retiring = acceptor.retire().finally(() => this.#retiring.delete(retiring))
    this.#retiring.add(retiring)
  }

  async #openOne(
    { name, host, port, ipv6Only, socketPath, socketMode }: ListenerSpec,
    takeOver = false,
  ): Promise<Acceptor> {
    const acceptor = new Acceptor()
    if (socketPath === null) acceptor.lend((address) => this.#servedAt(address, port))
    try {
      if (socketPath !== null) await acceptor.listenUnix(socketPath, socketMode, takeOver)
      else await acceptor.listen({ host, port, ipv6Only, reusePort: this.#reusePort })
      return acceptor
    } catch (error) {
      acceptor.close()
      throw new OpenError(name, error)
    }
  }
}
