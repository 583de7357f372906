// The completion of zsh, written out of the program's own commands.
import { allCommands, type CompletedCommand, type CompletedOption } from './completion-tree.ts'
import { kindCases, valuedPatterns } from './kind-cases.ts'
import { posixQuoted } from './shell-words.ts'

export function zshCompletion(tree: CompletedCommand): string {
  const commands = allCommands(tree)
  const known = commands.map(({ path }) => path).filter((path) => path !== '')
  return `#compdef frontdesk
# zsh completion of frontdesk; written by "frontdesk completion zsh"
_frontdesk_offer() { # subcommands and options of a command, described
  local -a commands options
  case "$1" in
${commands.map(offerCase).join('\n')}
  esac
  [[ $2 != -* ]] && (( \${#commands} )) && _describe -t commands command commands
  [[ $2 == -* || \${#commands} -eq 0 ]] && _describe -o -t options option options
}
_frontdesk_kind() {
  case "$1" in
${commands.flatMap(kindCases).join('\n')}
  esac
}
_frontdesk() {
  local typed='' option='' word cur="\${words[CURRENT]}" kind
  local -i i number=0
  local -a live offered
  for (( i = 2; i < CURRENT; i++ )); do
    word="\${words[i]}"
    if [[ -n $option ]]; then
      case "$option" in
        -c|--config|--admin|--admin-ca|--admin-cert|--admin-key|--token|--token-file) live+=("$option" "\${(Q)word}") ;;
      esac
      option=''
    elif [[ $word == -*=* ]]; then
      case "$word" in
        --config=*|--admin=*|--admin-ca=*|--admin-cert=*|--admin-key=*|--token=*|--token-file=*) live+=("\${(Q)word}") ;;
      esac
    elif [[ $word == -* ]]; then
      case "$typed $word" in
        ${valuedPatterns(tree).join('|')}) option="$word" ;;
      esac
    else
      case "\${typed:+$typed }$word" in
        ${known.map(posixQuoted).join('|')}) typed="\${typed:+$typed }$word" ;;
        *) (( number++ )) ;;
      esac
    fi
  done
  if [[ -z $option && $cur == --*=* ]]; then
    option="\${cur%%=*}"
    compset -P '*='
  fi
  if [[ -n $option ]]; then
    kind="$(_frontdesk_kind "$typed $option")"
  elif [[ $cur != -* ]]; then
    kind="$(_frontdesk_kind "$typed $number")"
  fi
  case "$kind" in
    file) _files ;;
    live:*)
      offered=(\${(f)"$("\${words[1]}" completion --list "\${kind#live:}" "\${live[@]}" 2>/dev/null)"})
      compadd -a offered
      ;;
    words:*)
      offered=(\${=kind#words:})
      compadd -a offered
      ;;
    *) [[ -z $option ]] && _frontdesk_offer "$typed" "$cur" ;;
  esac
}
if [[ $funcstack[1] == _frontdesk ]]; then _frontdesk "$@"; else compdef _frontdesk frontdesk; fi
`
}

function offerCase({ path, subcommands, options }: CompletedCommand): string {
  const commands = subcommands.map((sub) => described(sub.path.split(' ').at(-1)!, sub.description))
  const all = options.flatMap((option: CompletedOption) =>
    option.names.map((name) => described(name, option.description)),
  )
  return `    ${posixQuoted(path)})
      commands=(${commands.join(' ')})
      options=(${all.join(' ')})
      ;;`
}

/** As _describe wants it: a colon ends the name. */
const described = (name: string, description: string): string =>
  posixQuoted(`${name.replaceAll(':', '\\:')}:${description}`)
