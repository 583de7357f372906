// `npm test`: finds every *.test.ts under src/, dashboard/ and test/ and runs them with Node's own runner, two files at a time.
// Arguments narrow the choice: `npm test -- http/` runs the files whose path contains "http/".
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { delimiter, join, relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '..')

/** Programs that some tests need; each of those tests is skipped by itself where its program is missing. */
const programs = [
  'openssl',
  'curl',
  'nginx',
  'haproxy',
  'varnishd',
  'traffic_server',
  'redis-server',
  'pg_ctlcluster',
  'sslscan',
  'testssl',
  'tmux',
  'zsh',
  'fish',
  'chromium',
] as const

function isMissing(program: string): boolean {
  return !`${process.env.PATH ?? ''}:/usr/sbin`
    .split(delimiter)
    .some((dir) => spawnSync('test', ['-x', join(dir, program)]).status === 0)
}

const wanted = process.argv.slice(2)
const files = globSync(['src/**/*.test.ts', 'dashboard/src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: root })
  .filter((path) => wanted.length === 0 || wanted.some((part) => path.includes(part)))
  .sort()
  .map((path) => join(root, path))

if (files.length === 0) {
  process.stderr.write('no test file matches\n')
  process.exitCode = 1
} else {
  for (const program of programs.filter(isMissing)) {
    process.stdout.write(`${program} is not installed: the tests that need it are skipped\n`)
  }
  const execArgv = ['--import', pathToFileURL(join(root, 'test', 'support', 'watchdog.ts')).href]
  const events = run({ files, concurrency: 2, timeout: 300_000, cwd: root, execArgv })
  events.on('test:fail', (event) => {
    if (event.todo === undefined || event.todo === false) process.exitCode = 1
  })
  events.on('test:summary', ({ file, success, counts, duration_ms: ms }) => {
    if (file === undefined) return
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
    const line = `${success ? 'ok  ' : 'FAIL'} ${relative(root, file)} (${counts.tests} tests${skipped}, ${(ms / 1000).toFixed(1)} s)`
    process.stdout.write(`${line}\n`)
  })
  // What passed is told by file, above; the reporter shows the rest, and the closing lines.
  events
    .filter(({ type, data }) => type !== 'test:start' && (type !== 'test:pass' || data.skip !== undefined))
    .compose(spec)
    .pipe(process.stdout)
}
