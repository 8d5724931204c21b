/**
 * A name that one holder on this host has at a time, such as a range of addresses: an abstract socket, which the kernel gives back
 * however its process ends, and which leaves no file. Only Linux has these; elsewhere everybody gets what is asked for.
 */
import { createServer } from 'node:net'

export interface HostClaim {
  release(): Promise<void>
}

/** Undefined when somebody has the name, be it another process or this one. */
export function claimOnHost(name: string): Promise<HostClaim | undefined> {
  if (process.platform !== 'linux') return Promise.resolve({ release: async () => {} })
  const server = createServer((socket) => socket.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen({ path: `\0skiff/${name}` }, () => {
      server.unref()
      resolve({ release: () => new Promise((released) => server.close(() => released())) })
    })
  })
}
