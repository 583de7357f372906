// What can be completed, read from the program itself: its commands, their options, and what kind of value each takes.
import type { Command, Option } from 'commander'
import { strategies } from '../../balancer/table.ts'
import { cacheResults } from '../../state/names.ts'
import { type LiveKind, liveKinds, shells } from './shells.ts'

export type ValueKind = { readonly live: LiveKind } | { readonly words: readonly string[] } | 'file' | 'anything'

export interface CompletedOption {
  /** `-c` and `--config`; the long one last. */
  readonly names: readonly string[]
  readonly description: string
  /** Null = it is a switch. */
  readonly value: ValueKind | null
}

export interface CompletedCommand {
  /** `backends add`; '' = the program itself, where the options of `run` may stand. */
  readonly path: string
  readonly description: string
  readonly subcommands: readonly CompletedCommand[]
  readonly options: readonly CompletedOption[]
  /** In their order. */
  readonly arguments: readonly ValueKind[]
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** By the long name, or after the path of a command where it means something else there. */
const optionKinds: Readonly<Record<string, ValueKind>> = {
  '--config': 'file',
  '--token-file': 'file',
  '--admin-ca': 'file',
  '--admin-cert': 'file',
  '--admin-key': 'file',
  '--tls': 'file',
  '--pool': { live: 'pools' },
  '--listener': { live: 'listeners' },
  '--route': { live: 'routes' },
  'tail --backend': { live: 'backends' },
  '--method': { words: methods },
  '--status': { words: ['2xx', '3xx', '4xx', '5xx'] },
  'tail --cache': { words: cacheResults },
  '--strategy': { words: Object.keys(strategies) },
  '--list': { words: liveKinds },
  '--workers': { words: ['auto'] },
}

/** By the path of the command and the name of the argument. */
const argumentKinds: Readonly<Record<string, ValueKind>> = {
  'backends remove url': { live: 'backends' },
  'backends drain url': { live: 'backends' },
  'backends enable url': { live: 'backends' },
  'backends disable url': { live: 'backends' },
  'backends weight url': { live: 'backends' },
  'backends swap old': { live: 'backends' },
  'explain method': { words: methods },
  'completion shell': { words: shells },
}

export function completionTree(program: Command): CompletedCommand {
  const tree = read(program, '')
  const run = tree.subcommands.find(({ path }) => path === 'run')
  const names = tree.subcommands.map(({ path }) => path)
  const help = tree.subcommands.find(({ path }) => path === 'help')
  const subcommands = tree.subcommands.map((one) => (one === help ? { ...one, arguments: [{ words: names }] } : one))
  return { ...tree, subcommands, options: [...tree.options, ...(run?.options.filter(isNotHelp) ?? [])] }
}

/** All commands, the program itself first. */
export function allCommands(command: CompletedCommand): CompletedCommand[] {
  return [command, ...command.subcommands.flatMap(allCommands)]
}

/** Names of options that take a value wherever they are known. */
export function valuedNames(tree: CompletedCommand): string[] {
  const switches = namesOf(tree, (option) => option.value === null)
  return [...namesOf(tree, ({ value }) => value !== null)].filter((name) => !switches.has(name)).sort()
}

/** Options that take a value in one command and are switches in another: `tail --cache`, by the path of the command; '' and a space before those of the program itself. */
export function valuedPlaces(tree: CompletedCommand): string[] {
  const switches = namesOf(tree, (option) => option.value === null)
  return allCommands(tree).flatMap(({ path, options }) => {
    const valued = options.filter(({ value }) => value !== null).flatMap(({ names }) => names)
    return valued.filter((name) => switches.has(name)).map((name) => `${path} ${name}`)
  })
}

function namesOf(tree: CompletedCommand, isMeant: (option: CompletedOption) => boolean): ReadonlySet<string> {
  return new Set(allCommands(tree).flatMap(({ options }) => options.filter(isMeant).flatMap(({ names }) => names)))
}

const isNotHelp = ({ names }: CompletedOption): boolean => !names.includes('--help')

function read(command: Command, path: string): CompletedCommand {
  const subcommands = command.commands.map((sub) => read(sub, path === '' ? sub.name() : `${path} ${sub.name()}`))
  const help: CompletedOption = { names: ['-h', '--help'], description: 'print help', value: null }
  return {
    path,
    description: command.description(),
    subcommands,
    options: [...command.options.map((option) => readOption(option, path)), help],
    arguments: command.registeredArguments.map((one) => argumentKinds[`${path} ${one.name()}`] ?? 'anything'),
  }
}

function readOption(option: Option, path: string): CompletedOption {
  const names = [option.short, option.long].filter((name) => name !== undefined && name !== null)
  const isValued = option.required || option.optional
  const kind = optionKinds[`${path} ${option.long}`] ?? optionKinds[option.long ?? ''] ?? 'anything'
  return { names, description: option.description, value: isValued ? kind : null }
}
