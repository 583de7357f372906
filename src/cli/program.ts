// All commands in one program, with one manner of reporting a wrong command line: what, and how to find the right one.
import { Command, type Option } from 'commander'
import { closest } from '../util/edit-distance.ts'
import type { CliContext } from './cli-context.ts'
import { defineBackend } from './commands/backend.ts'
import { defineBackends } from './commands/backends.ts'
import { defineCache } from './commands/cache.ts'
import { defineCerts } from './commands/certs.ts'
import { defineCheck } from './commands/check.ts'
import { defineCompletion } from './commands/completion.ts'
import { defineConfig } from './commands/config.ts'
import { defineDemo } from './commands/demo.ts'
import { defineExplain } from './commands/explain.ts'
import { defineHashPassword } from './commands/hash-password.ts'
import { defineListeners, definePools, defineRoutes } from './commands/lists.ts'
import { defineProxy } from './commands/proxy.ts'
import { defineReload } from './commands/reload.ts'
import { defineRequest } from './commands/request.ts'
import { defineRun } from './commands/run.ts'
import { defineSchema } from './commands/schema.ts'
import { defineStatus } from './commands/status.ts'
import { defineStop } from './commands/stop.ts'
import { defineSystemd } from './commands/systemd.ts'
import { defineTail } from './commands/tail.ts'
import { defineTop } from './commands/top.ts'
import { defineVersion } from './commands/version.ts'

const examples = `
Without a command, "run" is meant: frontdesk -c config.json

Start here:
  frontdesk demo                                   three backends and a proxy, to look around
  frontdesk proxy --to http://localhost:3000       a proxy without any file
  frontdesk check -c config.json                   is my file right?
  frontdesk -c config.json                         run it
  frontdesk help run                               all about one command

Every option can also be given as FRONTDESK_<OPTION> in the environment: FRONTDESK_ADMIN_PORT=9001.

Exit codes: 0 done or drained, 1 failed, 2 wrong command line, 69 cannot bind or Node too old,
78 invalid configuration, 130 forced by a second Ctrl-C.`

/** The program; parsing throws commander's CommanderError for help, version and a wrong command line. */
export function buildProgram(context: CliContext): Command {
  const { terminal } = context
  const program = new Command('frontdesk')
    .description('A reverse proxy and load balancer: health checks, live changes of backends, metrics.')
    .usage('[command] [options]')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'frontdesk: ')),
    })
    .version(`frontdesk ${context.version}`, '-V, --version', 'print the version (-v is the same)')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .configureHelp({ optionDescription: describeOption })
    .addHelpText('after', examples)
  const define = [
    defineRun,
    defineProxy,
    defineDemo,
    defineBackend,
    defineRequest,
    defineCheck,
    defineSchema,
    defineHashPassword,
    defineStatus,
    defineTop,
    defineBackends,
    definePools,
    defineListeners,
    defineRoutes,
    defineExplain,
    defineCache,
    defineTail,
    defineReload,
    defineConfig,
    defineCerts,
    defineStop,
    defineSystemd,
    defineCompletion,
    defineVersion,
  ]
  for (const one of define) one(program, context)
  defineHelp(program)
  for (const command of program.commands) pointToHelp(command, 'frontdesk')
  return program.showHelpAfterError('"frontdesk help" lists the commands.')
}

/** Without the variable's name, which is the same rule for all and stands in the program's own help. */
function describeOption({ description, defaultValue, defaultValueDescription }: Option): string {
  if (defaultValue === undefined) return description
  return `${description} (default: ${defaultValueDescription ?? defaultValue})`
}

/** Commander's own help command prints the help of everything for a word it does not know. */
function defineHelp(program: Command): void {
  program
    .command('help')
    .description('print help for a command')
    .argument('[command...]', 'such as run, or backends add')
    .action((words: readonly string[]) => {
      let command = program
      for (const word of words) {
        const found = command.commands.find((sub) => sub.name() === word)
        if (found === undefined)
          throw program.error(unknownCommand(word, command), { code: 'frontdesk.unknownCommand' })
        command = found
      }
      command.outputHelp()
    })
}

function unknownCommand(word: string, { commands }: Command): string {
  const names = commands.map((command) => command.name())
  const guess = closest(word, names)
  return `error: unknown command '${word}'${guess === null ? '' : `\n(Did you mean ${guess}?)`}`
}

function pointToHelp(command: Command, parent: string): void {
  command.showHelpAfterError(`"${parent} help ${command.name()}" lists what it takes.`)
  for (const sub of command.commands)
    sub.showHelpAfterError(`"${parent} ${command.name()} ${sub.name()} --help" lists what it takes.`)
}

/** "run" is the command when none is named: no argument at all, or an option that is not about the program itself. */
export function withDefaultCommand(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv
  if (first === '-v') return ['--version', ...rest]
  const isAboutProgram = ['-h', '--help', '-V', '--version'].includes(first ?? '')
  return first === undefined || (first.startsWith('-') && !isAboutProgram) ? ['run', ...argv] : argv
}
