// Loaded into each test process before its file: one that does not come to its end is ended, with what kept it alive.
// A test that has failed half-way may leave a server behind, and the whole run would wait for it.

import { isMainThread } from 'node:worker_threads'

const limitMs = 240_000

const timer = setTimeout(() => {
  const kinds = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  const held = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ')
  process.stderr.write(`${process.argv[1]} did not end within ${limitMs / 1000} s; it holds ${held}\n`)
  process.exit(1)
}, limitMs)
timer.unref()
// Threads get the options of the process too.
if (!isMainThread) clearTimeout(timer)
