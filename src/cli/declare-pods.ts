/** Flags and help of the commands that reach into running pods. */
import { declareLogs } from './declare-logs.ts'
import type { Declaring } from './program.ts'

interface ProcessFlags {
  stdin?: true
  tty?: true
  container?: string
}

export function declarePodCommands(declaring: Declaring): void {
  const { program, io, globals, action } = declaring
  declareLogs(declaring)
  program
    .command('exec')
    .description('run a command in a container')
    .argument('<pod>', 'a pod, or kind/name of what owns pods')
    .argument('<command...>', 'after --')
    .option('-i, --stdin', 'with standard input')
    .option('-t, --tty', 'on a terminal')
    .option('-c, --container <name>', 'which container')
    .addHelpText('after', "\nThe exit code is the command's.\n\nExample:\n  skiff exec -it web-1 -- sh\n")
    .action(
      action(async (pod: string, command: string[], flags: ProcessFlags) => {
        const { runExec } = await import('./exec.ts')
        return runExec({ ...globals(), ...flags, pod, command }, io)
      }),
    )
  program
    .command('attach')
    .description("join a container's own process")
    .argument('<pod>', 'a pod, or kind/name of what owns pods')
    .option('-i, --stdin', 'with standard input')
    .option('-t, --tty', 'on a terminal')
    .option('-c, --container <name>', 'which container')
    .addHelpText('after', '\nExample:\n  skiff attach -it shell\n')
    .action(
      action(async (pod: string, flags: ProcessFlags) => {
        const { runExec } = await import('./exec.ts')
        return runExec({ ...globals(), ...flags, pod }, io)
      }),
    )
  program
    .command('port-forward')
    .description('lead ports of this machine into a pod')
    .argument('<pod>', 'a pod, or kind/name of what owns pods')
    .argument('<port...>', '[LOCAL:]REMOTE; :REMOTE takes a free local port')
    .option('--address <address>', 'where to listen', '127.0.0.1')
    .addHelpText('after', '\nExample:\n  skiff port-forward svc/web 8080:80\n')
    .action(
      action(async (pod: string, ports: string[], flags: { address: string }) => {
        const { runPortForward } = await import('./port-forward.ts')
        return runPortForward({ ...globals(), ...flags, pod, ports }, io)
      }),
    )
  declareEnv({ program, io, globals, action })
  declareWhy({ program, io, globals, action })
}

function declareWhy({ program, io, globals, action }: Pick<Declaring, 'program' | 'io' | 'globals' | 'action'>): void {
  program
    .command('why')
    .description('say what pods wait for, down to the root cause, and since when')
    .argument('<name...>', 'pods, what has pods, or any KIND/NAME')
    .option('--all-matches', 'everything that a name means')
    .option('-o, --output <format>', 'json')
    .addHelpText(
      'after',
      '\nFollows what a pod requires (skiff.dev/requires) to the objects behind it. Exit code 0 when nothing waits, 3 when something does.\n\nExample:\n  skiff why web\n',
    )
    .action(
      action(async (words: string[], flags: { allMatches?: true; output?: string }) => {
        const { runWhy } = await import('./why/why.ts')
        return runWhy({ ...globals(), ...flags, words }, io)
      }),
    )
}

function declareEnv({ program, io, globals, action }: Pick<Declaring, 'program' | 'io' | 'globals' | 'action'>): void {
  program
    .command('env')
    .description('show the variables of containers: value, source, and whether the source has moved on since')
    .argument('<name>', 'a pod, or what has pods')
    .option('-c, --container <name>', 'only this container')
    .option('-o, --output <format>', 'json')
    .option('--show-secrets', 'with the values that come from Secrets')
    .addHelpText('after', '\nWhat the image sets and the addresses of Services are not listed.\n\nExample:\n  skiff env web\n')
    .action(
      action(async (name: string, flags: { container?: string; output?: string; showSecrets?: true }) => {
        const { runEnv } = await import('./env.ts')
        return runEnv({ ...globals(), ...flags, name }, io)
      }),
    )
}
