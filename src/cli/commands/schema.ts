// `frontdesk schema`: the JSON Schema of the configuration file, for editors.
import type { Command } from 'commander'
import { act, type CliContext } from '../cli-context.ts'
import { ExitCode } from '../exit-code.ts'

export function defineSchema(program: Command, context: CliContext): void {
  const command = program.command('schema').description('print the JSON Schema of the configuration file')
  command.addHelpText(
    'after',
    '\nExample:\n  frontdesk schema > frontdesk.schema.json       then point your editor at it',
  )
  act(context, command, async () => {
    const { configJsonSchema } = await import('../../config/json-schema.ts')
    context.terminal.out(`${JSON.stringify(configJsonSchema(), null, 2)}\n`)
    return ExitCode.done
  })
}
