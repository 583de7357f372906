// The completion of bash, written out of the program's own commands. It needs nothing but bash.
import { allCommands, type CompletedCommand } from './completion-tree.ts'
import { kindCases, valuedPatterns } from './kind-cases.ts'
import { posixQuoted } from './shell-words.ts'

export function bashCompletion(tree: CompletedCommand): string {
  const commands = allCommands(tree)
  const known = commands.map(({ path }) => path).filter((path) => path !== '')
  return `# bash completion of frontdesk; written by "frontdesk completion bash"
_frontdesk_words() { # what may come at this place of this command: subcommands and options
  case "$1" in
${commands.map(wordsCase).join('\n')}
  esac
}
_frontdesk_kind() { # what a value is: of an option, or an argument by its number
  case "$1" in
${commands.flatMap(kindCases).join('\n')}
  esac
}
_frontdesk() {
  local line="\${COMP_LINE:0:COMP_POINT}" words=() word path='' option='' number=0 i live=() replies=''
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  local last=$((\${#words[@]} - 1)) cur="\${words[\${#words[@]} - 1]}"
  for ((i = 1; i < last; i++)); do
    word="\${words[i]}"
    if [[ -n $option ]]; then
      [[ $option == @(-c|--config|--admin|--admin-ca|--admin-cert|--admin-key|--token|--token-file) ]] && live+=("$option" "$word")
      option=''
    elif [[ $word == -*=* ]]; then
      [[ $word == --@(config|admin|admin-ca|admin-cert|admin-key|token|token-file)=* ]] && live+=("$word")
    elif [[ $word == -* ]]; then
      case "$path $word" in
      ${valuedPatterns(tree).join(' | ')}) option="$word" ;;
      esac
    else
      case "\${path:+$path }$word" in
      ${known.map(posixQuoted).join(' | ')}) path="\${path:+$path }$word" ;;
      *) number=$((number + 1)) ;;
      esac
    fi
  done
  local kind
  if [[ -z $option && $cur == --*=* ]]; then
    option="\${cur%%=*}"
    cur="\${cur#*=}"
  fi
  if [[ -n $option ]]; then kind="$(_frontdesk_kind "$path $option")"
  elif [[ $cur == -* ]]; then kind=words
  else kind="$(_frontdesk_kind "$path $number")"
  fi
  COMPREPLY=()
  case "$kind" in
  file)
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    return
    ;;
  live:*) replies="$("\${words[0]}" completion --list "\${kind#live:}" "\${live[@]}" 2>/dev/null)" ;;
  words:*) replies="\${kind#words:}" ;;
  *) [[ -z $option ]] && replies="$(_frontdesk_words "$path")" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$replies" -- "$cur")
  # bash takes a colon for the end of a word.
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
    local begun="\${cur%"\${cur##*:}"}"
    COMPREPLY=("\${COMPREPLY[@]#"$begun"}")
  fi
}
complete -F _frontdesk frontdesk
`
}

function wordsCase({ path, subcommands, options }: CompletedCommand): string {
  const names = subcommands.map((sub) => sub.path.split(' ').at(-1)!)
  const words = [...names, ...options.flatMap((option) => option.names)]
  return `  ${posixQuoted(path)}) echo ${posixQuoted(words.join(' '))} ;;`
}
