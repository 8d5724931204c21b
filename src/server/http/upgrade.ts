/** Upgraded connections: exec, attach and port-forward. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Auth } from '../auth/auth.ts'
import type { Core } from '../core.ts'

export async function handleUpgrade(
  _core: Core,
  _auth: Auth,
  _request: IncomingMessage,
  socket: Socket,
  _head: Buffer,
): Promise<void> {
  socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
}
