/** `skiff completion`: scripts for the shells. Each asks the program itself what may come next, so they never grow stale. */
import type { Io } from './io.ts'

const SCRIPTS: Record<string, string> = {
  bash: `_skiff() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _skiff skiff
`,
  zsh: `#compdef skiff
_skiff() {
  local -a candidates
  candidates=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a candidates
}
compdef _skiff skiff
`,
  fish: `complete -c skiff -f -a '(skiff __complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
}

export async function printScript(shell: string, io: Io): Promise<number> {
  io.stdout.write(SCRIPTS[shell]!)
  return 0
}
