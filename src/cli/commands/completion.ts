// `frontdesk completion SHELL`: prints what a shell needs to complete commands, options, and names of the running Frontdesk.
import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { callAdmin } from '../admin-client.ts'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { act, type CliContext } from '../cli-context.ts'
import { type LiveKind, liveKinds, type Shell, shells } from '../completion/shells.ts'
import { CliError, ExitCode } from '../exit-code.ts'

/** Who presses Tab does not wait long. */
const LIST_TIMEOUT_MS = 2_000

/** Not every shell quotes what it puts into the line: nothing that one of them takes for more than a character. */
const isPlain = /^[\w.:/@%+,[\]-]+$/

const examples = `
Backends, pools, listeners and routes are completed from the running Frontdesk, where there is one.

Put it where your shell looks:
  bash   frontdesk completion bash > ~/.local/share/bash-completion/completions/frontdesk
         or in ~/.bashrc: source <(frontdesk completion bash)
  zsh    frontdesk completion zsh > "\${fpath[1]}/_frontdesk"
         or in ~/.zshrc, after compinit: source <(frontdesk completion zsh)
  fish   frontdesk completion fish > ~/.config/fish/completions/frontdesk.fish`

export function defineCompletion(program: Command, context: CliContext): void {
  const command = program.command('completion').description('print the completion for your shell: bash, zsh or fish')
  command.argument('[shell]', 'bash, zsh or fish (default: that of $SHELL)')
  command.addOption(new Option('--list <what>', 'print names from the running Frontdesk instead').choices(liveKinds))
  addAdminOptions(command).addHelpText('after', examples)
  act(context, command, async (shell: string | undefined, o: AdminOptions & { list?: LiveKind }) => {
    if (o.list === undefined) context.terminal.out(await write(shellOf(shell), program))
    else for (const name of await names(o, o.list)) context.terminal.out(`${name}\n`)
    return ExitCode.done
  })
}

async function write(shell: Shell, program: Command): Promise<string> {
  const { completionTree } = await import('../completion/completion-tree.ts')
  const tree = completionTree(program)
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash-completion.ts')).bashCompletion(tree)
    case 'zsh':
      return (await import('../completion/zsh-completion.ts')).zshCompletion(tree)
    case 'fish':
      return (await import('../completion/fish-completion.ts')).fishCompletion(tree)
  }
}

function shellOf(named: string | undefined): Shell {
  const name = named ?? basename(process.env.SHELL ?? '')
  const shell = shells.find((one) => one === name)
  if (shell !== undefined) return shell
  throw new CliError(named === undefined ? 'which shell?' : `there is no completion for "${name}"`, {
    exitCode: ExitCode.usage,
    hint: 'frontdesk completion bash, zsh or fish',
  })
}

/** Of the running Frontdesk; none where it cannot be asked: a shell that completes has no place for errors. */
async function names(o: AdminOptions, what: LiveKind): Promise<string[]> {
  try {
    const { body } = await callAdmin(await resolveAdminTarget(o), { path: `/${what}`, timeoutMs: LIST_TIMEOUT_MS })
    const list = body as { url?: string; name?: string }[]
    return [...new Set(list.map(({ url, name }) => url ?? name ?? ''))].filter((name) => isPlain.test(name))
  } catch {
    return []
  }
}
