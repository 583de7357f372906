// What must hold after every test: what it opened is closed, nothing is counted as active, no handle is left open.
import { type TestContext, test } from 'node:test'
import { until } from './wait.ts'

/** Handles that come and go by themselves and belong to nobody. */
const IGNORED = new Set(['Immediate', 'Timeout', 'TTYWrap', 'PipeWrap', 'FSReqCallback', 'FSReqPromise'])

/** What one test opened; closed in reverse order when it ends, however it ends. */
export class Scope {
  readonly t: TestContext
  readonly #closers: (() => unknown)[] = []

  constructor(t: TestContext) {
    this.t = t
  }

  /** Closes this at the end of the test. */
  use<T extends { close(): unknown }>(thing: T): T {
    this.#closers.push(() => thing.close())
    return thing
  }

  /** Runs this at the end of the test. */
  defer(close: () => unknown): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    const failures: unknown[] = []
    for (const close of this.#closers.reverse()) {
      try {
        await close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}

/** A test that fails when a socket, a server or a file is still open after all that it opened was closed. */
export function leakTest(
  name: string,
  body: (scope: Scope) => Promise<void>,
  options: { skip?: string | false } = {},
): void {
  void test(name, { skip: options.skip || false, timeout: 60_000 }, async (t) => {
    const before = openHandles()
    const scope = new Scope(t)
    try {
      await body(scope)
    } finally {
      await scope.close()
    }
    await expectNoNewHandles(before)
  })
}

/** Open handles by kind. */
export function openHandles(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) {
    if (!IGNORED.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

/** Fails unless the open handles come down to what they were. */
export async function expectNoNewHandles(before: ReadonlyMap<string, number>): Promise<void> {
  const grown = (): string =>
    [...openHandles()]
      .map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const)
      .filter(([, more]) => more > 0)
      .map(([name, more]) => `${more} × ${name}`)
      .join(', ')
  await until('all handles are closed', () => grown() === '', 2_000).catch(() => {
    throw new Error(`handles left open: ${grown()}`)
  })
}

/** Fails unless every one of these counters comes to 0: `active` cells, open connections. */
export async function expectIdle(counters: () => Readonly<Record<string, number>>): Promise<void> {
  const busy = (): string =>
    Object.entries(counters())
      .filter(([, value]) => value !== 0)
      .map(([name, value]) => `${name} is ${value}`)
      .join(', ')
  await until('nothing is active any more', () => busy() === '', 2_000).catch(() => {
    throw new Error(`still counted as active: ${busy()}`)
  })
}
