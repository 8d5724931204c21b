/** What the help of the commands that roll says beyond their flags: phases, exit codes, examples. */
export const EXIT_CODES = `
Exit codes:
  0    done, nothing to do, or the canary runs
  1    refused, with the reason
  3    conflict: another roll or another driver is at work
  4    no progress within --timeout, or not done by --deadline
  5    rolled back
  130  interrupted
`

export const ROLL_HELP = `
Phases, as annotations on both controllers, from which any client can go on:
  Preparing   the new controller is made, and the pods of both are told apart by a label
  Switching   with --pet: the old template goes on under a generated name, with its pods
  Rolling     pods of the new template come, those of the old one go
  Paused      a canary runs, or the roll was interrupted or made no progress
  Complete    all pods run the new template; the old controller stays at 0, for the way back
  Aborted     all pods run the old template again

Deployments, StatefulSets and DaemonSets are rolled by their own controllers, and watched.

Ctrl-C pauses at a safe point and prints how to resume, roll back or keep what is there;
pressed again it ends at once, which any client can go on from as well.
${EXIT_CODES}
Examples:
  skiff roll web --image web:v2
  skiff roll web --image app=web:v2 --image log=log:v5 --note 'faster search'
  skiff roll web -f web-v2.yaml --dry-run
  skiff roll web-v1 web-v2
  skiff roll web --to-revision 3
  skiff roll web --image web:v2 --canary 10%  # then: skiff promote web, or skiff abort web
  skiff roll db --image db:v2 --pet
`
