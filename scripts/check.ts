// `npm run check`: format and lint, types, layer rules and the staleness of generated files, all at once, under ten seconds.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readSources, violations } from '../test/support/layers.ts'

const root = join(import.meta.dirname, '..')
const bin = (name: string): string => join(root, 'node_modules', '.bin', name)

interface Result {
  readonly ok: boolean
  readonly output: string
}

function run(command: string, args: readonly string[]): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const take = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', (error) => resolve({ ok: false, output: error.message }))
    child.on('close', (code) => resolve({ ok: code === 0, output }))
  })
}

async function checkLayers(): Promise<Result> {
  const found = violations(await readSources(join(root, 'src')))
  return { ok: found.length === 0, output: found.join('\n') }
}

const generator = join(root, 'scripts', 'generate.ts')
const checks: Record<string, () => Promise<Result>> = {
  'format and lint': () => run(bin('biome'), ['check', '--error-on-warnings', '--no-errors-on-unmatched', '.']),
  types: () => run(bin('tsc'), ['--noEmit', '-p', '.']),
  'types of the dashboard': () => run(bin('tsc'), ['--noEmit', '-p', 'dashboard']),
  layers: checkLayers,
  ...(existsSync(generator) && { 'generated files': () => run(process.execPath, [generator, '--check']) }),
}

const outcomes = await Promise.all(
  Object.entries(checks).map(async ([name, check]) => {
    const startedAt = performance.now()
    const result = await check()
    return { name, ...result, seconds: ((performance.now() - startedAt) / 1000).toFixed(1) }
  }),
)
for (const { name, ok, output, seconds } of outcomes) {
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)\n`)
  if (!ok) process.stdout.write(`${output.trimEnd()}\n\n`)
}
process.exitCode = outcomes.every(({ ok }) => ok) ? 0 : 1
