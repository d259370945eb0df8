/**
 * Scripts by shell. All they do is ask `teu complete` what fits: with a resident process that takes a
 * millisecond or two, and they need not change when commands do.
 */
export const completionScripts: Readonly<Record<string, string>> = {
  bash: `_teu_complete() {
  local word="\${COMP_WORDS[COMP_CWORD]}"
  local answers
  answers="$(teu complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)"
  if [[ "$answers" == ":files" ]]; then
    compopt -o default
    COMPREPLY=()
    return
  fi
  mapfile -t COMPREPLY < <(compgen -W "$answers" -- "$word")
}
complete -F _teu_complete teu
`,
  zsh: `#compdef teu
_teu_complete() {
  local -a answers
  answers=("\${(@f)$(teu complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "\${answers[1]}" == ":files" ]]; then
    _files
  else
    compadd -a answers
  fi
}
compdef _teu_complete teu
`,
  fish: `function __teu_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l answers (teu complete -- $words[2..-1] 2>/dev/null)
  if test "$answers[1]" = ":files"
    __fish_complete_path (commandline -ct)
  else
    string join \\n $answers
  end
end
complete -c teu -f -a '(__teu_complete)'
`,
};
