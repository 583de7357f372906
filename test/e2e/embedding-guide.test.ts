// The servers of the guides to embedding and to moving from http-proxy run, and pass requests on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startActingBackend } from '../support/acting-backend.ts'
import { refusingPort } from '../support/ports.ts'
import { snippetsOf } from '../support/snippets.ts'
import { CliProcess, root } from './cli-process.ts'

const DEADLINE_MS = 20_000

/** The answer, as soon as the program listens. */
async function answerFrom(port: number, child: CliProcess): Promise<Response> {
  const giveUpAt = performance.now() + DEADLINE_MS
  for (;;) {
    try {
      return await fetch(`http://127.0.0.1:${port}/api/users?id=1`)
    } catch (error) {
      if (child.child.exitCode !== null || performance.now() > giveUpAt) throw new Error(child.stderr, { cause: error })
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

for (const page of ['docs/guide/embedding.md', 'docs/guide/migrating-from-http-proxy.md']) {
  for (const { line, code } of snippetsOf(page)) {
    test(`${page}, line ${line}`, async (t) => {
      const backends = [await startActingBackend(), await startActingBackend()]
      t.after(() => Promise.all(backends.map((backend) => backend.close())))
      const port = await refusingPort()
      const program = code
        .replaceAll('http://localhost:3000', backends[0]!.url)
        .replaceAll('http://localhost:3001', backends[1]!.url)
        .replaceAll('8080', String(port))
      const script = '--input-type=module-typescript'
      const child = new CliProcess(t, ['--eval', program], { script, cwd: root })
      const answer = await answerFrom(port, child)
      assert.equal(answer.status, 200)
      assert.match(await answer.text(), /^GET (?:\/base|\/api)?\/users\?id=1$/)
      child.signal('SIGTERM')
      const ended = await child.ended()
      assert.equal(ended.stderr, '')
      if (code.includes('SIGTERM')) assert.equal(ended.code, 0)
    })
  }
}
