/** The scripts that shells load. They hold no knowledge: each asks `beat __complete` with the words typed so far. */

// Descriptions are dropped: bash shows only words. Without candidates bash falls back to file names (`-o default`).
const bash = `# bash completion for beat
_beat() {
  local line cur="\${COMP_WORDS[COMP_CWORD]}"
  local IFS=$'\\n'
  COMPREPLY=()
  # bash splits words at "=" and ":"; what stands before the cursor is asked for as it is.
  for line in $("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD-1}" "$cur" 2>/dev/null); do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done
}
complete -o default -F _beat beat
`

const zsh = `#compdef beat
_beat() {
  local -a lines candidates
  local line value
  lines=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
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
    $words[1] __complete -- $words[2..-1] "$current" 2>/dev/null
end
complete -c beat -f -a '(__beat_complete)'
# The shell's own file names where a path is expected.
complete -c beat -n '__fish_prev_arg_in -C --directory' -F
`

export const scripts = { bash, zsh, fish } as const
