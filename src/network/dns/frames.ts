/** DNS over TCP: every message after its length in two bytes (RFC 1035, 4.2.2). */

export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length, 0)
  return Buffer.concat([length, message])
}

/** Takes bytes as they come and hands on whole messages. Never holds more than one message (64 KiB) and a chunk. */
export function createFrames(onMessage: (message: Buffer) => void): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0)
  return (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    while (held.length >= 2) {
      const end = 2 + held.readUInt16BE(0)
      if (held.length < end) return
      const message = held.subarray(2, end)
      held = held.subarray(end)
      onMessage(message)
    }
  }
}
