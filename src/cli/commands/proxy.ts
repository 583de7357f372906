// `frontdesk proxy`: a proxy without a configuration file.
import type { Command } from 'commander'
import { act, type CliContext } from '../cli-context.ts'
import { collect, option, parsePort, shared } from '../options.ts'
import { type From, type KeyPair, listenerFor, misfit, parseFrom, parseKeyPair, parseTarget } from '../proxy-sides.ts'

interface Options {
  readonly from: From
  readonly to: readonly string[]
  readonly tls?: KeyPair
  readonly strategy?: string
  readonly cache?: true
  readonly adminPort?: number
  readonly workers?: number | 'auto'
}

const examples = `
Strategies: round-robin (default), least-conn, power-of-two, least-time, random, first, ip-hash, hash.

Examples:
  frontdesk proxy --to http://localhost:3000
  frontdesk proxy --from 127.0.0.1:8000 --to http://localhost:3000,3 --to http://localhost:3001,1
  frontdesk proxy --from https://:8443 --tls cert.pem,key.pem --to http://localhost:3000
  frontdesk proxy --from tcp://:5432 --to tcp://10.0.0.5:5432 --to tcp://10.0.0.6:5432
  frontdesk proxy --from unix:/run/app.sock --to http://localhost:3000
  frontdesk proxy --to http://localhost:3000 --cache
  frontdesk proxy --to http://localhost:3000 --admin-port 8081      with the admin API and metrics`

const anywhere = ':8080'

export function defineProxy(program: Command, context: CliContext): void {
  const from =
    'where to listen: "8080", "127.0.0.1:8080", "https://:8443", "tcp://:5432", "tls://:6380", "unix:/run/x.sock"'
  const command = program
    .command('proxy')
    .description('serve without a configuration file')
    .addOption(option('--from <address>', from, { parse: parseFrom }).default(parseFrom(anywhere), anywhere))
    .addOption(
      option('--to <url[,weight]>', 'a backend, with its weight (repeatable)', {
        parse: collect,
      }).makeOptionMandatory(),
    )
    .addOption(
      option('--tls <cert,key>', 'certificate and key for TLS from clients; one name for a file with both', {
        parse: parseKeyPair,
      }),
    )
    .addOption(option('--strategy <name>', 'how a backend is chosen'))
    .addOption(option('--cache', 'keep answers that may be kept, in memory, and serve them (RFC 9111)'))
    .addOption(option('--admin-port <n>', 'also serve the admin API on this port', { parse: parsePort }))
    .addOption(shared.workers())
    .addHelpText('after', examples)
  act(context, command, (o: Options) => proxy(o, context))
}

async function proxy(o: Options, context: CliContext): Promise<number> {
  const targets = o.to.map(parseTarget)
  const listener = listenerFor(o.from, targets, o.tls ?? null)
  if (o.cache && listener.protocol !== 'http') throw misfit('--cache is for HTTP only', 'leave it out')
  const { serve } = await import('../serve.ts')
  const { loadConfig } = await import('../../config/load.ts')
  const overrides = {
    backends: targets,
    ...(o.strategy === undefined ? {} : { strategy: o.strategy }),
    ...(o.adminPort === undefined ? {} : { admin_port: o.adminPort }),
    ...(o.workers === undefined ? {} : { workers: o.workers }),
  }
  const loaded = loadConfig({
    text: JSON.stringify({ listeners: [listener], ...(o.cache && { cache: true }) }),
    env: {},
    overrides,
    allowAnyPort: true,
  })
  return serve({ context, loaded, source: '(command line)', reload: null, portOption: '--from' })
}
