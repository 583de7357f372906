#!/usr/bin/env node
// The launcher. Plain JavaScript, so that an old Node can read it: runs the program when this Node is new enough,
// else the same launcher again with the Node that came with the package, else says what is needed and exits 69.
import { spawn } from 'node:child_process'
import { closeSync, existsSync, fstatSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const NEEDED_MAJOR = 24
const EXIT_UNAVAILABLE = 69
/** What reaches only the launcher is passed on. SIGUSR1 is Node's own (it opens the debugger) and stays where it fell. */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP', 'SIGUSR2']

const self = fileURLToPath(import.meta.url)
const root = dirname(dirname(self))

/** True in the process that an older Node started below: its own end of the channel tells it when the launcher dies. */
const launched = process.env.FRONTDESK_LAUNCHED === '1'
delete process.env.FRONTDESK_LAUNCHED

if (Number.parseInt(process.versions.node, 10) >= NEEDED_MAJOR) {
  await runHere()
} else {
  const bundled = launched ? undefined : findBundledNode()
  if (bundled === undefined) refuse()
  else runWith(bundled)
}

/** The published package has compiled files beside bin/; the repository has the sources. */
async function runHere() {
  const compiled = join(root, 'cli', 'main.js')
  const entry = existsSync(compiled) ? compiled : join(root, 'src', 'cli', 'main.ts')
  const { main } = await import(pathToFileURL(entry).href)
  process.exit(await main(process.argv.slice(2), { launched }))
}

/** In the repository's own node_modules, or beside this package in somebody else's. */
function findBundledNode() {
  const packaged = `node-${process.platform}-${process.arch}`
  for (const modules of [join(root, 'node_modules'), dirname(root)]) {
    for (const path of [join(modules, '.bin', 'node'), join(modules, packaged, 'bin', 'node')]) {
      if (existsSync(path)) return path
    }
  }
  return undefined
}

function refuse() {
  process.stderr.write(
    `frontdesk: needs Node ${NEEDED_MAJOR} or newer, this is ${process.versions.node} (${process.execPath}): ` +
      `install it from https://nodejs.org, or run "npm ci" in the repository, which brings one for Linux\n`,
  )
  process.exit(EXIT_UNAVAILABLE)
}

/**
 * The file descriptors that systemd has passed to this process (sd_listen_fds(3)). The child gets them with the same
 * numbers, and knows LISTEN_PID, which names this process, for its parent's. Null = what has that number is no socket.
 */
function passedSockets() {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = process.env
  if (pid !== String(process.pid) || !/^[1-9]\d{0,3}$/.test(count ?? '')) return []
  return Array.from({ length: Number(count) }, (_, index) => (isSocket(3 + index) ? 3 + index : null))
}

function isSocket(fd) {
  try {
    return fstatSync(fd).isSocket()
  } catch {
    return false
  }
}

/**
 * Runs this file again with another Node. The channel carries no messages: its closing tells the child that the
 * launcher is gone. A terminal's Ctrl-C reaches both processes and is forwarded as well; the child counts it once.
 */
function runWith(node) {
  const sockets = passedSockets()
  const child = spawn(node, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['inherit', 'inherit', 'inherit', ...sockets.map((fd) => fd ?? 'ignore'), 'ipc'],
    env: { ...process.env, FRONTDESK_LAUNCHED: '1' },
  })
  // They are the child's now; it alone says when nothing is accepted any more.
  for (const fd of sockets) if (fd !== null) closeSync(fd)
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`frontdesk: cannot run ${node}: ${error.message}\n`)
    process.exit(EXIT_UNAVAILABLE)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}
