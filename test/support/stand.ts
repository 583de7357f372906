// The usual stand of an integration test: backend, proxy and clients, all closed when the test ends.
import assert from 'node:assert/strict'
import { type ActingBackend, type SeenRequest, startActingBackend } from './acting-backend.ts'
import type { Scope } from './leaks.ts'
import { type ProxyOptions, startProxy, type TestProxy } from './proxy.ts'
import { RawClient } from './raw-client.ts'
import { type Script, type ScriptedBackend, startScriptedBackend } from './scripted-backend.ts'

export interface Stand<Backend> {
  readonly backend: Backend
  readonly proxy: TestProxy
  /** One connection that is there from the beginning. */
  readonly client: RawClient
  /** Opens a further connection. */
  open(): Promise<RawClient>
}

/** A proxy before one backend that answers as request fields say. */
export async function acting(scope: Scope, options: ProxyOptions = {}): Promise<Stand<ActingBackend>> {
  return standWith(scope, scope.use(await startActingBackend()), options)
}

/** A proxy before one backend that follows scripts. */
export async function scripted(
  scope: Scope,
  scripts: Parameters<typeof startScriptedBackend>[0],
  options: ProxyOptions = {},
): Promise<Stand<ScriptedBackend>> {
  return standWith(scope, scope.use(await startScriptedBackend(scripts)), options)
}

async function standWith<Backend extends { readonly url: string }>(
  scope: Scope,
  backend: Backend,
  options: ProxyOptions,
): Promise<Stand<Backend>> {
  const proxy = scope.use(await startProxy([backend.url], options))
  const open = async (): Promise<RawClient> => scope.use(await RawClient.open(proxy.port))
  return { backend, proxy, client: await open(), open }
}

/** All values of a field that reached a backend, whatever the case of its name. */
export function seenValues(seen: SeenRequest | undefined, name: string): string[] {
  return (seen?.fields ?? []).filter(([field]) => field.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
}

/** The body that the acting backend makes for `x-act-size` (and `x-act-chunks`). */
export function filled(size: number, chunks = 0): Buffer {
  const step = chunks > 0 ? Math.max(1, Math.ceil(size / chunks)) : 65_536
  const block = Buffer.alloc(Math.min(step, size), 'frontdesk ')
  const body = Buffer.alloc(size)
  for (let at = 0; at < size; at += block.length) block.copy(body, at)
  return body
}

/** As `assert.deepEqual` of two bodies, with a message that can be read when they are long. */
export function assertSameBytes(actual: Buffer, expected: Buffer, what = 'the body'): void {
  if (actual.equals(expected)) return
  let at = 0
  while (at < actual.length && actual[at] === expected[at]) at++
  assert.fail(`${what}: ${actual.length} bytes for ${expected.length}, the first difference at ${at}`)
}

export type { Script }
