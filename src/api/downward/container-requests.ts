/**
 * What annotations of a pod ask of its node for one container: `skiff.dev/restart.CONTAINER` is part of what the container is made
 * from, so that another text restarts it; `skiff.dev/signal.CONTAINER` holds `SIGNAL:TOKEN`s, and another token sends its signal.
 */
type Annotations = Readonly<Record<string, string>> | undefined

const RESTART = 'skiff.dev/restart.'
const SIGNAL = 'skiff.dev/signal.'
/** Of a container's name, so that a request for it fits into the name of an annotation. */
export const MAX_REQUESTED_NAME = 55

export const restartAnnotation = (container: string): string => RESTART + container
export const signalAnnotation = (container: string): string => SIGNAL + container

export function restartToken(annotations: Annotations, container: string): string {
  return annotations?.[RESTART + container] ?? ''
}

/** Tokens by signal. */
export function signalTokens(annotations: Annotations, container: string): Map<string, string> {
  return readSignals(annotations?.[SIGNAL + container])
}

export function readSignals(text = ''): Map<string, string> {
  const entries = text.split(' ').filter((part) => part.includes(':'))
  return new Map(entries.map((part) => part.split(':', 2) as [string, string]))
}

export function writeSignals(tokens: ReadonlyMap<string, string>): string {
  return [...tokens].map(([signal, token]) => `${signal}:${token}`).join(' ')
}
