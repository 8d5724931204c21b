/** Says what is wrong with a JSON text in the words of Go's encoding/json, which is what clients expect to see. */

/** `message` is V8's. */
export function goJsonMessage(message: string): string {
  if (message.includes('end of JSON input') || message.startsWith('Unterminated')) return 'unexpected end of JSON input'
  const token = /^Unexpected token '?([^',]*)'?,? /.exec(message)?.[1]
  if (token) return `invalid character '${token}' looking for beginning of value`
  if (message.startsWith('Expected property name')) return 'invalid character looking for beginning of object key string'
  if (message.includes('in JSON at position')) return `invalid character: ${message}`
  return message
}
