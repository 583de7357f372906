// The benchmark's Go programs are built where they are run.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Builds a Go program below bench/macro once per change of its source; returns the binary. Throws without Go. */
export function buildGo(folder: string): string {
  const source = fileURLToPath(new URL(folder, import.meta.url))
  const work = fileURLToPath(new URL('../.work', import.meta.url))
  const binary = join(work, folder.replaceAll('/', '-'))
  mkdirSync(work, { recursive: true })
  if (!existsSync(binary) || statSync(binary).mtimeMs < statSync(join(source, 'main.go')).mtimeMs) {
    const env = { ...process.env, GOFLAGS: '', GOPROXY: 'off', GOTOOLCHAIN: 'local' }
    try {
      execFileSync('go', ['build', '-o', binary, '.'], { cwd: source, env, stdio: ['ignore', 'pipe', 'pipe'] })
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? new Error('go is not installed') : error
    }
  }
  return binary
}
