/**
 * A listening socket in another network namespace, for this process: a helper is started in there, listens, hands the socket
 * over on Node's own channel between processes, and ends. Perl does that in a tenth of the time and memory that a further
 * Node takes; where there is none, Node does it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Server } from 'node:net'
import { arch, endianness, platform } from 'node:os'
import { findTool } from './run-command.ts'

/** The number of the system call `sendmsg`, which Perl has no name for. */
const SENDMSG: Readonly<Record<string, number>> = { x64: 46, arm64: 211 }

/** What is written is what Node's `process.send(message, server)` writes; the answer it waits for says that it arrived. */
const PERL = `
my ($address, $port, $sendmsg) = @ARGV;
socket(my $server, 2, 1, 0) or die "socket: $!\\n";
bind($server, pack('S n C4 x8', 2, $port, split(/\\./, $address))) or die "bind: $!\\n";
listen($server, 511) or die "listen: $!\\n";
my $channel = $ENV{NODE_CHANNEL_FD} + 0;
my $line = qq({"cmd":"NODE_HANDLE","type":"net.Server","msg":{}}\\n);
my $part = pack('P Q', $line, length $line);
my $right = pack('Q i i i x4', 20, 1, 1, fileno $server);
my $message = pack('Q L x4 P Q P Q i x4', 0, 0, $part, 1, $right, length $right, 0);
syscall($sendmsg + 0, $channel, $message, 0) > 0 or die "sendmsg: $!\\n";
open(my $answers, '<&=', $channel);
sysread($answers, my $answer, 1024);
`

const NODE = `
const [address, port] = process.argv.slice(1)
const server = require('node:net').createServer()
server.on('error', (error) => { process.stderr.write(error.message); process.exit(1) })
server.listen({ host: address, port: Number(port), backlog: 511 }, () => process.send({}, server, {}, () => process.exit()))
`

/** `into`: the command line that runs a program in the namespace. Rejects with what the helper says. */
export async function listenInside(
  into: readonly string[],
  address: string,
  port: number,
  { tryPerl = true }: { tryPerl?: boolean } = {},
): Promise<Server> {
  const perl = tryPerl ? perlCommand() : undefined
  if (perl) {
    try {
      return await handedOver([...into, ...perl.command, address, String(port), ...perl.more])
    } catch {
      // Whatever Perl could not do, Node either can or says better why not.
    }
  }
  return handedOver([...into, process.execPath, '-e', NODE, address, String(port)])
}

function perlCommand(): { command: string[]; more: string[] } | undefined {
  const call = platform() === 'linux' && endianness() === 'LE' ? SENDMSG[arch()] : undefined
  const perl = call === undefined ? undefined : findTool('perl')
  return perl === undefined ? undefined : { command: [perl, '-e', PERL], more: [String(call)] }
}

async function handedOver([command = '', ...args]: readonly string[]): Promise<Server> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], detached: true })
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk
  })
  const ended = once(child, 'close').then(() => {
    throw new Error(errors.trim() || `nothing could listen at ${args.at(-1)}`)
  })
  ended.catch(() => {})
  return Promise.race([handle(child), ended])
}

async function handle(child: ChildProcess): Promise<Server> {
  const [, server] = await once(child, 'message')
  if (!(server instanceof Server)) throw new Error('the helper sent no socket')
  // An error of a connection that ended before it was taken is no error of the listener.
  server.on('error', () => {})
  return server
}
