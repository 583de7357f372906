// The completion of fish, written out of the program's own commands.
import {
  allCommands,
  type CompletedCommand,
  type CompletedOption,
  type ValueKind,
  valuedNames,
  valuedPlaces,
} from './completion-tree.ts'
import { fishQuoted } from './shell-words.ts'

export function fishCompletion(tree: CompletedCommand): string {
  const commands = allCommands(tree)
  const known = commands.map(({ path }) => path).filter((path) => path !== '')
  return `# fish completion of frontdesk; written by "frontdesk completion fish"
function __frontdesk_state --description 'the command that is typed, and how many arguments it has'
    set -l command ''
    set -l number 0
    set -l isValue 0
    for word in (commandline -opc)[2..-1]
        if test $isValue = 1
            set isValue 0
        else if string match -qr -- '^-.*=' $word
            continue
        else if string match -q -- '-*' $word
            contains -- $word ${valuedNames(tree).join(' ')}
            or contains -- "$command $word" ${valuedPlaces(tree).map(fishQuoted).join(' ')}
            and set isValue 1
        else
            set -l longer (string trim -- "$command $word")
            if contains -- $longer ${known.map(fishQuoted).join(' ')}
                set command $longer
            else
                set number (math $number + 1)
            end
        end
    end
    echo $command
    echo $number
end
function __frontdesk_at --description 'is this the command, and, where it is given, the number of the argument?'
    set -l state (__frontdesk_state)
    test "$state[1]" = "$argv[1]"; or return 1
    set -q argv[2]; or return 0
    test "$state[2]" = "$argv[2]"
end
function __frontdesk_live --description 'names from the running Frontdesk'
    set -l words (commandline -opc)
    set -l more
    for i in (seq 2 (count $words))
        switch $words[$i]
            case -c --config --admin --admin-ca --admin-cert --admin-key --token --token-file
                set -l next (math $i + 1)
                set -q words[$next]; and set -a more $words[$i] $words[$next]
            case '--config=*' '--admin=*' '--admin-ca=*' '--admin-cert=*' '--admin-key=*' '--token=*' '--token-file=*'
                set -a more $words[$i]
        end
    end
    $words[1] completion --list $argv[1] $more 2>/dev/null
end
complete -c frontdesk -f
${commands.flatMap(linesOf).join('\n')}
`
}

function linesOf({ path, subcommands, options, arguments: list }: CompletedCommand): string[] {
  const at = `-n ${fishQuoted(`__frontdesk_at ${fishQuoted(path)}`)}`
  const ofCommands = subcommands.map(
    (sub) =>
      `complete -c frontdesk ${at} -a ${fishQuoted(sub.path.split(' ').at(-1)!)} -d ${fishQuoted(sub.description)}`,
  )
  const ofOptions = options.map((option) => `complete -c frontdesk ${at} ${optionWords(option)}`)
  const ofArguments = list.flatMap((kind, i) => {
    const values = valueWords(kind)
    const here = `-n ${fishQuoted(`__frontdesk_at ${fishQuoted(path)} ${i}`)}`
    return values === '' ? [] : [`complete -c frontdesk ${here} ${values}`]
  })
  return [...ofCommands, ...ofOptions, ...ofArguments]
}

function optionWords({ names, description, value }: CompletedOption): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
  // -x: a value, and no files.
  const takes = value === null ? '' : value === 'file' ? ' -r -F' : ` -x ${valueWords(value)}`
  return `${flags.join(' ')}${takes.trimEnd()} -d ${fishQuoted(description)}`
}

function valueWords(kind: ValueKind): string {
  if (kind === 'anything') return ''
  if (kind === 'file') return '-F'
  return 'live' in kind ? `-a '(__frontdesk_live ${kind.live})'` : `-a ${fishQuoted(kind.words.join(' '))}`
}
