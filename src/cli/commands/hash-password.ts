// `frontdesk hash-password`: what to write for a user of `basic_auth`.
import type { Command } from 'commander'
import { hashPassword } from '../../util/password-hash.ts'
import { act, type CliContext } from '../cli-context.ts'
import { ExitCode } from '../exit-code.ts'
import { readPassword } from '../read-password.ts'

export function defineHashPassword(program: Command, context: CliContext): void {
  const command = program
    .command('hash-password')
    .description('read a password and print its hash, for users of basic_auth')
  command.addHelpText(
    'after',
    '\nIt is asked for twice, unseen, or read from standard input. Examples:\n' +
      '  frontdesk hash-password                          then write it into "basic_auth": {"users": {"ann": "…"}}\n' +
      '  echo "ann:$(frontdesk hash-password)" >> users   a line for "users_file"\n' +
      '  frontdesk hash-password < secret.txt',
  )
  act(context, command, async () => {
    const password = await readPassword({ input: process.stdin, prompt: process.stderr })
    context.terminal.out(`${hashPassword(password)}\n`)
    return ExitCode.done
  })
}
