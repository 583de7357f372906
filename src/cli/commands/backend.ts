// `frontdesk backend`: one demo backend in the foreground.
import type { Command } from 'commander'
import { act, type CliContext } from '../cli-context.ts'
import { type DemoBackend, startDemoBackend } from '../demo-backend/demo-backend.ts'
import { ExitCode } from '../exit-code.ts'
import { cannotListen } from '../listen-failure.ts'
import { option, parsePort } from '../options.ts'
import { onStopSignals } from '../stop-signals.ts'

interface Options {
  readonly port: number
  readonly host: string
  readonly name?: string
}

const examples = `
What a request can ask of it, in the query or as X-Delay, X-Status, X-Size, X-Fail:
  ?delay=200ms   ?status=503   ?size=10MB   ?fail=reset|cut|hang
Other paths: /sse (events; ?interval=200&count=5), /ws (WebSocket echo), /healthz,
and POST /fail and /recover, between which it answers everything with 503.

Examples:
  frontdesk backend --port 8082 --name blue
  curl 'http://localhost:8082/hello?delay=200ms'
  frontdesk proxy --to http://localhost:8082       put a proxy before it`

export function defineBackend(program: Command, context: CliContext): void {
  const command = program
    .command('backend')
    .description('run one demo backend that says who it is and what it received')
    .addOption(option('--port <n>', 'port to listen on', { parse: parsePort }).default(8082))
    .addOption(option('--host <address>', 'address to listen on').default('127.0.0.1'))
    .addOption(option('--name <name>', 'its name in answers (default: backend-<port>)'))
    .addHelpText('after', examples)
  act(context, command, (o: Options) => runBackend(o, context))
}

async function runBackend(o: Options, context: CliContext): Promise<number> {
  const backend = await startDemoBackend(o).catch((error: NodeJS.ErrnoException) => {
    throw cannotListen({ code: error.code ?? '', host: o.host, port: o.port, choose: 'choose another with --port' })
  })
  context.terminal.out(
    `  demo backend "${backend.name}" on ${backend.url}\n\n  try   curl -i '${backend.url}/?delay=200ms'        Ctrl-C stops\n`,
  )
  await stopSignal(context, backend)
  return ExitCode.done
}

function stopSignal(context: CliContext, backend: DemoBackend): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => void backend.close().then(resolve)
    onStopSignals({ drain: stop, force: stop }, context)
  })
}
