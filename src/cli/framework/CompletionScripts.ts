/** The scripts that shells load. They know no commands: each calls `beat __complete` with the words typed so far. */

// Descriptions are dropped: bash shows only words. Without candidates bash falls back to file names (`-o default`).
const bash = `# bash completion for beat
_beat() {
  local line program="\${COMP_WORDS[0]}" cur="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  # The word is as it was typed: "~/bin/beat" is not expanded yet.
  [[ $program == "~/"* ]] && program="$HOME/\${program:2}"
  # Read line by line: a candidate that the shell expands could match files, or vanish under nullglob.
  while IFS= read -r line; do
    [[ -n $line ]] && COMPREPLY+=("\${line%%$'\\t'*}")
  done < <("$program" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD-1}" "$cur" 2>/dev/null </dev/null)
}
complete -o default -F _beat beat
`

const zsh = `#compdef beat
_beat() {
  local -a lines candidates
  local line value
  local program="\${words[1]}"
  # The word is as it was typed: "~/bin/beat" is not expanded yet.
  [[ "$program" == "~/"* ]] && program="$HOME/\${program#\\~/}"
  lines=("\${(@f)$("$program" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null </dev/null)}")
  for line in "\${lines[@]}"; do
    [[ -n "$line" ]] || continue
    value="\${line%%$'\\t'*}"
    candidates+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#candidates} )); then
    _describe -V beat candidates
  else
    _files
  fi
}
if [[ "\${funcstack[1]}" == _beat ]]; then
  _beat "$@"
else
  compdef _beat beat
fi
`

const fish = `# fish completion for beat
function __beat_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    command $program __complete -- $words[2..-1] "$current" 2>/dev/null </dev/null
end
complete -c beat -f -a '(__beat_complete)'
# The shell's own file names where a path is expected.
complete -c beat -n '__fish_prev_arg_in -C --directory' -F
`

export const scripts = { bash, zsh, fish } as const
