// An example as somebody runs it who has copied it into a project of his own: another folder, its packages installed.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startDemoBackend } from '../../src/cli/demo-backend/demo-backend.ts'
import { CliProcess, root } from '../e2e/cli-process.ts'
import type { Scope } from './leaks.ts'
import { folder } from './program.ts'

export const examples = join(root, 'examples')

/** What the examples import. */
const packages = ['express', 'fastify', 'ws']

/** A folder in which these packages and frontdesk are installed, and no more; gone after the test. */
export function emptyProject({ t }: Scope): string {
  const dir = folder(t)
  writeFileSync(join(dir, 'package.json'), '{ "type": "module" }')
  const modules = join(dir, 'node_modules')
  mkdirSync(modules)
  symlinkSync(root, join(modules, 'frontdesk'))
  for (const name of packages) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  return dir
}

/** An example in a project of its own. */
export function copyExample(scope: Scope, name: string): string {
  const dir = emptyProject(scope)
  cpSync(join(examples, name), dir, { recursive: true, filter: (path) => !/\.state\.json|\/certificates/.test(path) })
  return dir
}

interface ExampleOptions {
  /** A copy of it, or whatever else has this file. */
  readonly dir: string
  readonly file: string
  /** What it would be told by the environment; ports are free ones in any case. */
  readonly env?: Readonly<Record<string, string>>
}

/** A running example; ended with the test, by the signal that ends programs. */
export class Example extends CliProcess {
  /** Of its first listener. */
  port = 0
  /** Of its admin API; 0 = none. */
  adminPort = 0

  /** `frontdesk -c FILE`, with two workers. */
  static async run(scope: Scope, { dir, file, env }: ExampleOptions): Promise<Example> {
    const args = ['-c', file, '--port', '0', '--workers', '2']
    const example = new Example(scope.t, args, { cwd: dir, env: { FRONTDESK_ADMIN_PORT: '0', ...env } })
    scope.defer(() => example.#end({ code: 0, signal: null }))
    const [line] = await example.says(/^\{.*"event":"started".*\}$/m)
    const { listeners, admin } = JSON.parse(line) as { listeners: { port: number }[]; admin: string | null }
    example.port = listeners[0]!.port
    if (admin !== null) example.adminPort = Number(new URL(admin).port)
    return example
  }

  /** `node FILE`: a program that says where it listens. */
  static async program(scope: Scope, { dir, file, env }: ExampleOptions): Promise<Example> {
    const example = new Example(scope.t, [], { script: file, cwd: dir, env: { PORT: '0', ...env } })
    // It has no handler for signals.
    scope.defer(() => example.#end({ code: null, signal: 'SIGTERM' }))
    example.port = Number((await example.says(/(?:port: |:)(\d{2,5})\b/))[1])
    return example
  }

  /** What it has in flight at each backend. */
  async active(): Promise<number[]> {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}/status`, { headers: { connection: 'close' } })
    const { backends } = (await response.json()) as { backends: { current_connections: number }[] }
    return backends.map(({ current_connections: count }) => count)
  }

  async #end(expected: { code: number | null; signal: string | null }): Promise<void> {
    this.signal('SIGTERM')
    const { code, signal, stderr } = await this.ended()
    assert.deepEqual({ code, signal, stderr }, { ...expected, stderr: '' })
  }
}

/** URLs of demo backends with these names. */
export function demoBackends(scope: Scope, ...names: readonly string[]): Promise<string[]> {
  return Promise.all(
    names.map(async (name) => scope.use(await startDemoBackend({ name, host: '127.0.0.1', port: 0 })).url),
  )
}
