/** Whether a word is about drafts, which are no kind of the API. */
export function isDraftWord(word: string | undefined): boolean {
  return word !== undefined && /^drafts?(\/|$)/.test(word)
}
