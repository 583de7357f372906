// `frontdesk proxy`: a proxy without a configuration file.
import { type Command, InvalidArgumentError } from 'commander'
import { parseListenAddress } from '../../config/listen-address.ts'
import { act, type CliContext } from '../cli-context.ts'
import { collect, option, parsePort, shared } from '../options.ts'

interface Options {
  readonly from: string
  readonly to: readonly string[]
  readonly strategy?: string
  readonly adminPort?: number
  readonly workers?: number | 'auto'
}

const examples = `
Strategies: round-robin (default), least-conn, power-of-two, least-time, random, first, ip-hash, hash.

Examples:
  frontdesk proxy --to http://localhost:3000
  frontdesk proxy --from 127.0.0.1:8000 --to http://localhost:3000,3 --to http://localhost:3001,1
  frontdesk proxy --to http://localhost:3000 --admin-port 8081      with the admin API and metrics`

export function defineProxy(program: Command, context: CliContext): void {
  const command = program
    .command('proxy')
    .description('serve without a configuration file')
    .addOption(
      option('--from <address>', 'where to listen: "8080", ":8080", "127.0.0.1:8080"', { parse: parseFrom }).default(
        ':8080',
      ),
    )
    .addOption(
      option('--to <url[,weight]>', 'a backend, with its weight (repeatable)', {
        parse: collect,
      }).makeOptionMandatory(),
    )
    .addOption(option('--strategy <name>', 'how a backend is chosen'))
    .addOption(option('--admin-port <n>', 'also serve the admin API on this port', { parse: parsePort }))
    .addOption(shared.workers())
    .addHelpText('after', examples)
  act(context, command, (o: Options) => proxy(o, context))
}

async function proxy(o: Options, context: CliContext): Promise<number> {
  const { serve } = await import('../serve.ts')
  const { loadConfig } = await import('../../config/load.ts')
  const listener = { listeners: [{ name: 'default', listen: o.from, pool: 'default' }] }
  const overrides = {
    backends: o.to.map(parseTarget),
    ...(o.strategy === undefined ? {} : { strategy: o.strategy }),
    ...(o.adminPort === undefined ? {} : { admin_port: o.adminPort }),
    ...(o.workers === undefined ? {} : { workers: o.workers }),
  }
  const loaded = loadConfig({ text: JSON.stringify(listener), env: {}, overrides, allowAnyPort: true })
  return serve({ context, loaded, source: '(command line)', reload: null, portOption: '--from' })
}

function parseFrom(text: string): string {
  try {
    parseListenAddress(text, { anyPort: true })
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`)
  }
  return text
}

/** "http://localhost:3000,3" → the URL and its weight; what is wrong with the URL is for the configuration to say. */
function parseTarget(text: string): { url: string; weight: number } {
  const match = /^(.*),(\d+)$/.exec(text)
  return match === null ? { url: text, weight: 1 } : { url: match[1] ?? '', weight: Number(match[2]) }
}
