/** Digests as people read them: their first twelve digits tell images apart, and a line stays one line. For tables, never for output that is read by programs. */
export function shortDigests(text: string): string {
  return text.replace(/\b(sha256:[0-9a-f]{12})[0-9a-f]{52}\b/g, '$1…')
}
