// The programs of the guide to the library run, end by themselves and print what the guide says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startActingBackend } from '../support/acting-backend.ts'
import { snippetsOf } from '../support/snippets.ts'
import { CliProcess, root } from './cli-process.ts'

/** Told by a program of the guide when all of it has run. */
const done = '(all of it has run)'

for (const { line, code, prints } of snippetsOf('docs/guide/library.md')) {
  test(`docs/guide/library.md, line ${line}`, async (t) => {
    const backends = [await startActingBackend(), await startActingBackend()]
    t.after(() => Promise.all(backends.map((backend) => backend.close())))
    const program = code
      .replaceAll('http://localhost:3000', backends[0]!.url)
      .replaceAll('http://localhost:3001', backends[1]!.url)
      .replaceAll('port: 8080', 'port: 0')
    const script = '--input-type=module-typescript'
    const child = new CliProcess(t, ['--eval', `${program}\nconsole.log('${done}')`], { script, cwd: root })
    await child.says(/\(all of it has run\)/)
    if (code.includes('SIGTERM')) child.signal('SIGTERM')
    const ended = await child.ended()
    assert.deepEqual([ended.code, ended.signal, ended.stderr], [0, null, ''])
    if (prints !== null) assert.equal(ended.stdout.replace(`${done}\n`, ''), prints)
  })
}
