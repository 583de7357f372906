// `frontdesk top`: a live table of a running Frontdesk in the terminal; `--once` prints it once.
import type { Command } from 'commander'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { act, type CliContext } from '../cli-context.ts'
import { CliError, ExitCode } from '../exit-code.ts'
import { option, shared } from '../options.ts'
import { firstFigures } from '../top/first-figures.ts'

interface Options extends AdminOptions {
  readonly once?: true
  readonly json?: true
}

const examples = `
Keys: up and down select, d drains, e enables, w changes the weight, / filters, s sorts, p pauses, ? helps, q quits.

Examples:
  frontdesk top
  frontdesk top --once                             one table, for scripts
  frontdesk top --once --json | jq .requests.rate`

export function defineTop(program: Command, context: CliContext): void {
  const command = addAdminOptions(
    program.command('top').description('a live table of a running Frontdesk and its backends'),
  )
  command.addOption(option('--once', 'print one table and end')).addOption(shared.json())
  command.addHelpText('after', examples)
  act(context, command, (o: Options) => top(o, context))
}

async function top(o: Options, context: CliContext): Promise<number> {
  const { terminal } = context
  const { stdin: input, stdout: output } = process
  const isScript = o.once === true || o.json === true
  if (!isScript && (!input.isTTY || !output.isTTY)) {
    throw new CliError('top needs a terminal, and this is none', {
      exitCode: ExitCode.usage,
      hint: '"frontdesk top --once" prints one table, "frontdesk top --once --json" the figures',
    })
  }
  const target = await resolveAdminTarget(o)
  if (!isScript) {
    const { runTop } = await import('../top/run-top.ts')
    await runTop({ target, terminal, input, output })
    return ExitCode.done
  }
  const figures = await firstFigures(target)
  const snapshot = figures.snapshot()
  if (o.json) {
    const { stats, backends, version } = snapshot
    terminal.out(`${JSON.stringify({ version, ...stats, backends }, null, 2)}\n`)
    return ExitCode.done
  }
  const { TopView } = await import('../top/top-view.ts')
  const { drawTop } = await import('../top/top-screen.ts')
  const lines = drawTop({
    data: snapshot,
    view: new TopView(),
    link: { kind: 'live' },
    place: target.base.origin,
    width: terminal.isTerminal ? output.columns || 80 : 200,
    // Everything, and no line for a message and keys.
    height: snapshot.backends.length + 7,
    nowMs: Date.now(),
    paint: terminal.paint,
    isStill: true,
  })
  terminal.out(
    `${lines
      .slice(0, -2)
      .map((line) => line.trimEnd())
      .join('\n')}\n`,
  )
  return ExitCode.done
}
