// A wire on a bare libuv handle: no stream, no event emitter, no allocation per read or write.
import { getSystemErrorName } from 'node:util'
import { type Handle, native, type ShutdownRequest, type WriteRequest } from './native.ts'
import { giveBuffer, sharedBuffer } from './read-buffers.ts'
import { copySmall, type Gatherer, gather, giveSmall, mayGather, SMALL_BYTES } from './small-writes.ts'
import { type ReadSide, STRING_BYTES, Wire, type WireEvents } from './wire.ts'

const UV_EOF = -4095

interface WiredHandle extends Handle {
  wire: HandleWire
  buffer: Buffer
}

function onRead(this: Handle): Uint8Array | undefined {
  const handle = this as WiredHandle
  return handle.wire.onRead(native!.state[native!.readBytes]!)
}

function onWritten(this: WriteRequest, status: number): void {
  if (this.pooled) giveBuffer(this.bytes as Buffer)
  this.bytes = null
  ;(this.owner as HandleWire).onWritten(status)
}

function onShutdown(this: ShutdownRequest): void {
  ;(this.owner as HandleWire).onShutdown()
}

function afterDeath(): undefined {
  return undefined
}

/** One request object serves all writes that complete at once; only one that has to wait is used up. */
let spare: WriteRequest | null = null

function newRequest(): WriteRequest {
  const request = new native!.WriteRequest()
  request.oncomplete = onWritten
  spare = request
  return request
}

export class HandleWire extends Wire implements Gatherer {
  readonly reusesBuffers = true
  protected readonly writesAtOnce = true
  override readonly takesRuns = true
  readonly #handle: WiredHandle
  /** What the handle reads into now. */
  #buffer: Buffer = sharedBuffer
  #error: NodeJS.ErrnoException | null = null
  #writesInFlight = 0
  #noDelay = false
  /** Something of `relaySoon` has not been written yet: it goes before anything else. */
  #gathered: Uint8Array | null = null
  #gatheredFrom: ReadSide | null = null
  #peerEnded = false
  #shutDown = false
  /** libuv has let go of whatever it held. */
  #isGone = false
  #whenTaken: (() => void)[] | null = null

  /** Takes over a connected handle that has not been read from. Reading starts at once. */
  constructor(handle: Handle, events: WireEvents) {
    super(events)
    this.#handle = handle as WiredHandle
    this.#handle.wire = this
    handle.onread = onRead
    handle.useUserBuffer(sharedBuffer)
    handle.reading = true
    const status = handle.readStart()
    if (status !== 0) this.#fail(status, 'read')
  }

  /** `count` bytes are in the buffer, or a negative error. Returns the buffer for the next read, if it changes. */
  onRead(count: number): Buffer | undefined {
    if (count > 0) {
      if (this.closed) return undefined
      const buffer = this.#buffer
      this.reading = true
      try {
        this.events.onData(buffer, count)
      } catch (error) {
        this.#fault(error)
      }
      this.reading = false
      if (this.closed) return undefined
      if (this.paused) this.#handle.readStop()
      const wanted = this.ownBuffer ?? sharedBuffer
      if (wanted === buffer) return undefined
      this.#buffer = wanted
      return wanted
    }
    if (count === 0 || this.closed) return undefined
    if (count !== UV_EOF) {
      this.#fail(count, 'read')
      return undefined
    }
    this.#peerEnded = true
    this.#handle.readStop()
    try {
      this.events.onEnd()
    } catch (error) {
      this.#fault(error)
    }
    this.#closeIfOver()
    return undefined
  }

  override relaySoon(source: ReadSide, bytes: Buffer, length: number): void {
    if (bytes !== sharedBuffer || length > SMALL_BYTES) {
      this.relay(source, bytes, 0, length)
      return
    }
    if (this.#gathered !== null) this.writeGathered()
    if (this.closed || this.ended) return
    this.written += length
    const copy = copySmall(length)
    if (mayGather()) {
      this.#gathered = copy
      this.#gatheredFrom = source
      gather(this)
    } else this.#writeSmall(source, copy)
  }

  writeGathered(): void {
    const copy = this.#gathered
    if (copy === null) return
    this.#gathered = null
    this.#writeSmall(this.#gatheredFrom!, copy)
    this.#gatheredFrom = null
  }

  #writeSmall(source: ReadSide, copy: Uint8Array): void {
    const request = spare ?? newRequest()
    const status = this.#handle.writeBuffer(request, copy)
    if (status === 0 && native!.state[native!.writeWaits] !== 0) {
      this.#tookRequest(request, copy, false)
      source.pause()
      return
    }
    giveSmall(copy)
    if (status !== 0) this.#fail(status, 'write')
  }

  write(text: string): void {
    if (this.#gathered !== null) this.writeGathered()
    if (this.closed || this.ended) return
    this.written += text.length
    const request = spare ?? newRequest()
    const status = this.#handle.writeLatin1String(request, text)
    if (status !== 0) this.#fail(status, 'write')
    else if (native!.state[native!.writeWaits] !== 0) this.#tookRequest(request, null, false)
  }

  writeBytes(bytes: Uint8Array): void {
    if (this.#gathered !== null) this.writeGathered()
    if (this.closed || this.ended) return
    this.written += bytes.length
    const request = spare ?? newRequest()
    const status = this.#handle.writeBuffer(request, bytes)
    if (status !== 0) this.#fail(status, 'write')
    else if (native!.state[native!.writeWaits] !== 0) this.#tookRequest(request, bytes, false)
  }

  override writeRuns(text: string, runs: readonly Uint8Array[]): void {
    if (this.#gathered !== null) this.writeGathered()
    if (this.closed || this.ended) return
    let size = text.length
    for (const run of runs) size += run.length
    this.written += size
    const request = spare ?? newRequest()
    const parts = text === '' ? runs : [text, 'latin1', ...runs.flatMap((run) => [run, 'buffer'])]
    const status = this.#handle.writev(request, parts, text === '')
    if (status !== 0) this.#fail(status, 'write')
    else if (native!.state[native!.writeWaits] !== 0) this.#tookRequest(request, parts, false)
  }

  /** What lies in memory that stays needs no copy. */
  override relayAfter(text: string, source: ReadSide, bytes: Buffer, start: number, end: number): void {
    if (bytes === sharedBuffer || end - start <= STRING_BYTES) {
      super.relayAfter(text, source, bytes, start, end)
      return
    }
    this.writeRuns(text, [bytes.subarray(start, end)])
    if (this.pending) source.pause()
  }

  protected writePooled(buffer: Buffer, size: number): void {
    if (this.#gathered !== null) this.writeGathered()
    if (this.closed || this.ended) {
      giveBuffer(buffer)
      return
    }
    this.written += size
    const request = spare ?? newRequest()
    const status = this.#handle.writeBuffer(request, buffer.subarray(0, size))
    if (status === 0 && native!.state[native!.writeWaits] !== 0) this.#tookRequest(request, buffer, true)
    else {
      giveBuffer(buffer)
      if (status !== 0) this.#fail(status, 'write')
    }
  }

  override get unsent(): number {
    return this.#handle.writeQueueSize ?? 0
  }

  override get hasUnsent(): boolean {
    return this.pending || this.#gathered !== null
  }

  pause(): void {
    if (this.paused || this.closed) return
    this.paused = true
    // Within onData the reading stops when the call returns.
    if (!this.reading) this.#handle.readStop()
  }

  resume(): void {
    if (!this.paused || this.closed) return
    this.paused = false
    if (this.reading || this.#peerEnded) return
    const status = this.#handle.readStart()
    if (status !== 0) this.#fail(status, 'read')
  }

  end(): void {
    if (this.#gathered !== null) this.writeGathered()
    if (this.closed || this.ended) return
    this.ended = true
    const request = new native!.ShutdownRequest()
    request.owner = this
    request.oncomplete = onShutdown
    const status = this.#handle.shutdown(request)
    // 1 = done at once; a socket that is not connected any more has nothing to shut down.
    if (status !== 0) this.onShutdown()
  }

  destroy(): void {
    if (this.#gathered !== null) this.writeGathered()
    if (this.closed) return
    this.closed = true
    this.#handle.onread = afterDeath
    this.#handle.close()
    process.nextTick(announceClose, this)
  }

  reset(): void {
    if (this.#gathered !== null) this.writeGathered()
    if (this.closed) return
    // libuv cannot reset what it is still shutting down.
    if (this.#handle.reset === undefined || (this.ended && !this.#shutDown)) {
      this.destroy()
      return
    }
    this.closed = true
    this.#handle.onread = afterDeath
    if (this.#handle.reset() !== 0) this.#handle.close()
    process.nextTick(announceClose, this)
  }

  detach(): Handle {
    this.closed = true
    this.releaseOwnBuffer(true)
    this.#handle.onread = afterDeath
    return this.#handle
  }

  setNoDelay(): void {
    if (this.#noDelay || this.closed) return
    this.#noDelay = true
    this.#handle.setNoDelay?.(true)
  }

  override whenTaken(call: () => void): void {
    if (this.#writesInFlight === 0 || this.#isGone) call()
    else {
      this.#whenTaken ??= []
      this.#whenTaken.push(call)
    }
  }

  #tellTaken(): void {
    const calls = this.#whenTaken
    this.#whenTaken = null
    if (calls !== null) for (const call of calls) call()
  }

  /** The kernel has taken a write that had to wait. */
  onWritten(status: number): void {
    if (--this.#writesInFlight > 0) return
    this.#tellTaken()
    if (this.closed) return
    this.pending = false
    if (status < 0) {
      this.#fail(status, 'write')
      return
    }
    try {
      this.events.onDrain()
    } catch (error) {
      this.#fault(error)
    }
  }

  onShutdown(): void {
    this.#shutDown = true
    if (!this.closed) this.#closeIfOver()
  }

  announceClose(): void {
    this.releaseOwnBuffer(true)
    this.#isGone = true
    this.#tellTaken()
    try {
      this.onGone?.()
      this.events.onClose(this.#error)
    } catch (error) {
      this.#fault(error)
    }
  }

  #closeIfOver(): void {
    if (this.#peerEnded && this.#shutDown) this.destroy()
  }

  #fail(status: number, syscall: string): void {
    if (this.closed) return
    const code = getSystemErrorName(status)
    this.#error = Object.assign(new Error(`${syscall} ${code}`), { errno: status, code, syscall })
    this.destroy()
  }

  #fault(error: unknown): void {
    this.events.onFault(error)
    this.destroy()
  }

  #tookRequest(request: WriteRequest, bytes: Uint8Array | readonly unknown[] | null, pooled: boolean): void {
    spare = null
    request.owner = this
    request.bytes = bytes
    request.pooled = pooled
    this.#writesInFlight++
    this.pending = true
  }
}

function announceClose(wire: HandleWire): void {
  wire.announceClose()
}
