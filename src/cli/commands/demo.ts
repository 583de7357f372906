// `frontdesk demo`: three demo backends and a proxy before them, in one process; nothing is written to disk.
import { createServer } from 'node:net'
import type { Command } from 'commander'
import { act, type CliContext } from '../cli-context.ts'
import { type DemoBackend, startDemoBackend } from '../demo-backend/demo-backend.ts'
import { shared } from '../options.ts'
import { table } from '../terminal.ts'

const HOST = '127.0.0.1'
const PROXY_PORT = 8080
const ADMIN_PORT = 8081
const BACKENDS = [
  { name: 'red', port: 8082 },
  { name: 'green', port: 8083 },
  { name: 'blue', port: 8084 },
] as const
/** Where to look when a usual port is taken. */
const FALLBACK_FROM = 8085
const FALLBACK_TO = 8999

export function defineDemo(program: Command, context: CliContext): void {
  const command = program
    .command('demo')
    .description('three demo backends and a proxy before them, to look around')
    .addOption(shared.workers())
    .addHelpText(
      'after',
      '\nUsual ports are 8080 to 8084 on the loopback address; what is taken is replaced by the next free one.',
    )
  act(context, command, (o: { workers?: number | 'auto' }) => demo(o, context))
}

async function demo(o: { workers?: number | 'auto' }, context: CliContext): Promise<number> {
  const { serve } = await import('../serve.ts')
  const { loadConfig } = await import('../../config/load.ts')
  const ports = new PortChooser()
  const backends: DemoBackend[] = []
  try {
    const proxyPort = await ports.choose('the proxy', PROXY_PORT)
    const adminPort = await ports.choose('the admin API', ADMIN_PORT)
    for (const { name, port } of BACKENDS) {
      const free = await ports.choose(`the backend "${name}"`, port)
      backends.push(await startDemoBackend({ name, host: HOST, port: free }))
    }
    for (const note of ports.notes) context.terminal.out(`  ${note}\n`)
    const file = {
      listeners: [{ name: 'default', listen: `${HOST}:${proxyPort}`, pool: 'default' }],
      pools: {
        default: {
          backends: backends.map((backend) => backend.url),
          health_check: { method: 'http', path: '/healthz', interval: '2s' },
        },
      },
      admin: { listen: `${HOST}:${adminPort}` },
      workers: o.workers ?? 'auto',
      logging: { format: 'text' },
    }
    const loaded = loadConfig({ text: JSON.stringify(file), env: {} })
    const hints = hintsFor(context.command, proxyPort, adminPort, backends)
    return await serve({ context, loaded, source: '(demo)', reload: null, hints })
  } finally {
    await Promise.all(backends.map((backend) => backend.close()))
  }
}

function hintsFor(command: string, proxyPort: number, adminPort: number, backends: readonly DemoBackend[]): string[] {
  const proxy = `http://localhost:${proxyPort}`
  const admin = adminPort === ADMIN_PORT ? '' : ` --admin ${adminPort}`
  const victim = backends[1]?.port
  const rows = [
    [`${command} request ${proxy}/ -n 300 -c 10`, 'each backend answers a third'],
    [`${command} status${admin}`, 'how they are'],
    [`${command} top${admin}`, 'the same, live; the dashboard shows it in a browser'],
    [`curl -X POST http://localhost:${victim}/fail`, 'one goes DOWN, the others take its share; /recover mends it'],
    [`curl -N ${proxy}/sse`, 'events arrive one by one'],
  ]
  return table(rows).trimEnd().split('\n')
}

/** Takes the usual port where it is free, else the next free one, and remembers what to tell about it. */
class PortChooser {
  readonly notes: string[] = []
  readonly #given = new Set<number>()

  async choose(what: string, usual: number): Promise<number> {
    const port = (await this.#take(usual)) ? usual : await this.#fallback()
    if (port !== usual) this.notes.push(`port ${usual} is taken: ${what} is on ${port}`)
    return port
  }

  async #fallback(): Promise<number> {
    for (let port = FALLBACK_FROM; port <= FALLBACK_TO; port++) if (await this.#take(port)) return port
    throw new Error(`no port from ${FALLBACK_FROM} to ${FALLBACK_TO} is free`)
  }

  async #take(port: number): Promise<boolean> {
    if (this.#given.has(port) || !(await isFree(port))) return false
    this.#given.add(port)
    return true
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen({ host: HOST, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
