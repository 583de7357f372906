import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeBuffer } from '../net/read-buffers.ts'
import type { WireEvents } from '../net/wire.ts'
import { type FarEnd, MemoryWire } from './memory-wire.ts'

class Plane implements WireEvents {
  readonly told: string[] = []
  onBytes: (text: string) => void = () => {}
  onData(bytes: Buffer, length: number): void {
    const text = bytes.latin1Slice(0, length)
    this.told.push(`data ${text}`)
    this.onBytes(text)
  }
  onEnd(): void {
    this.told.push('end')
  }
  onDrain(): void {
    this.told.push('drain')
  }
  onClose(error: NodeJS.ErrnoException | null): void {
    this.told.push(`close ${error?.code ?? 'well'}`)
  }
  onFault(error: unknown): void {
    this.told.push(`fault ${error}`)
  }
}

class Far implements FarEnd {
  readonly told: string[] = []
  takes = true
  take(bytes: Buffer): boolean {
    this.told.push(`take ${bytes.latin1Slice()}`)
    return this.takes
  }
  ended(): void {
    this.told.push('ended')
  }
  cut(): void {
    this.told.push('cut')
  }
  flow(isFlowing: boolean): void {
    this.told.push(isFlowing ? 'flow' : 'stop')
  }
  hasUnsent(): boolean {
    return !this.takes
  }
}

function joined(): { plane: Plane; far: Far; wire: MemoryWire } {
  const plane = new Plane()
  const far = new Far()
  return { plane, far, wire: new MemoryWire(plane, far) }
}

const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))

test('bytes go both ways, and a full far end is waited for', () => {
  const { plane, far, wire } = joined()
  wire.give(Buffer.from('in'))
  wire.write('out')
  assert.equal(wire.pending, false)
  far.takes = false
  wire.writeBytes(new Uint8Array([65]))
  assert.deepEqual([wire.pending, wire.hasUnsent, wire.written], [true, true, 4])
  wire.drained()
  wire.drained()
  assert.equal(wire.pending, false)
  assert.deepEqual(plane.told, ['data in', 'drain'])
  assert.deepEqual(far.told, ['take out', 'take A'])
})

test('nothing is read while it is paused; what was given then comes in order, before anything else', async () => {
  const { plane, far, wire } = joined()
  wire.pause()
  wire.pause()
  wire.give(Buffer.from('1'))
  wire.give(Buffer.from('2'))
  assert.deepEqual(plane.told, [])
  plane.onBytes = (text) => {
    if (text === '1') wire.pause()
  }
  wire.resume()
  await tick()
  assert.deepEqual(plane.told, ['data 1'])
  wire.resume()
  await tick()
  assert.deepEqual(plane.told, ['data 1', 'data 2'])
  assert.deepEqual(far.told, ['stop', 'stop', 'flow'])
})

test('what a wire is given in a pooled buffer stays as it was', () => {
  for (const size of [10, 90_000]) {
    const kept: Buffer[] = []
    const far = new Far()
    far.take = (bytes) => kept.push(bytes) > 0
    const wire = new MemoryWire(new Plane(), far)
    const source = new MemoryWire(new Plane(), new Far())
    const bytes = Buffer.alloc(size, 'a')
    wire.relayAfter('head ', source, bytes, 0, size)
    for (let n = 0; n < 100; n++) takeBuffer().fill('b')
    assert.equal(Buffer.concat(kept).toString(), `head ${'a'.repeat(size)}`)
  }
})

for (const [name, end, expected] of [
  ['destroyed', (wire: MemoryWire) => wire.destroy(), 'close well'],
  ['reset', (wire: MemoryWire) => wire.reset(), 'close well'],
  ['left by the far end', (wire: MemoryWire) => wire.leave(), 'close ECONNRESET'],
] as const) {
  test(`${name}: onClose follows once, not from within, and nothing else comes`, async () => {
    const { plane, far, wire } = joined()
    let gone = 0
    wire.onGone = () => gone++
    end(wire)
    end(wire)
    wire.give(Buffer.from('late'))
    wire.write('late')
    wire.finish()
    wire.drained()
    wire.end()
    assert.deepEqual(plane.told, [])
    await tick()
    assert.deepEqual([plane.told, gone], [[expected], 1])
    assert.deepEqual(far.told, name === 'left by the far end' ? [] : ['cut'])
  })
}

test('after FIN nothing is written any more, and the other direction goes on', () => {
  const { plane, far, wire } = joined()
  wire.end()
  wire.write('late')
  wire.give(Buffer.from('still'))
  wire.finish()
  assert.deepEqual(far.told, ['ended'])
  assert.deepEqual(plane.told, ['data still', 'end'])
})

test('what throws in the plane costs this wire alone', async () => {
  const { plane, far, wire } = joined()
  plane.onBytes = () => {
    throw new Error('a bug')
  }
  wire.give(Buffer.from('x'))
  await tick()
  assert.deepEqual(plane.told, ['data x', 'fault Error: a bug', 'close well'])
  assert.deepEqual(far.told, ['cut'])
})
