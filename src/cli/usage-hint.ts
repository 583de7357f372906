// What to write instead, where a command line is wrong in a way that is easily guessed.
import type { Command, CommanderError } from 'commander'

/** Whole lines; '' = commander's own words are all that is to be said. `name`: how the user called the program. */
export function usageHint({ code }: CommanderError, argv: readonly string[], program: Command, name: string): string {
  const isExcess = code === 'commander.excessArguments'
  if (isExcess && argv[0]?.startsWith('-')) {
    return 'The command comes first, its options after it: "frontdesk status -c config.json".\n'
  }
  if (!isExcess && code !== 'commander.unknownCommand') return ''
  const file = argv.find((word, at) => FILE.test(word) && !/^(?:-c|--config)$/.test(argv[at - 1] ?? ''))
  const { words, takesFile } = commandOf(argv, program)
  if (file === undefined || !takesFile) return ''
  return `Name the file with -c: "${[name, ...words, '-c', file].join(' ')}".\n`
}

/** As those of configurations end. */
const FILE = /\.(?:json|jsonc|json5|ya?ml|toml|[cm]?[jt]s)$/i

interface Named {
  readonly words: readonly string[]
  /** It has --config. */
  readonly takesFile: boolean
}

/** None named: the program itself takes a file, as run does. */
function commandOf(argv: readonly string[], program: Command): Named {
  const words: string[] = []
  let command = program
  for (const word of argv) {
    const found = command.commands.find((one) => one.name() === word)
    if (found === undefined) break
    words.push(word)
    command = found
  }
  return { words, takesFile: words.length === 0 || command.options.some(({ long }) => long === '--config') }
}
