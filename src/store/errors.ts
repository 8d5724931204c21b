/** What a store may answer instead of doing as it was told. Wire statuses are the server's business. */
export class KeyExists extends Error {
  override name = 'KeyExists'
  readonly key: string
  constructor(key: string) {
    super(`key ${key} exists`)
    this.key = key
  }
}

export class KeyNotFound extends Error {
  override name = 'KeyNotFound'
  readonly key: string
  constructor(key: string) {
    super(`key ${key} not found`)
    this.key = key
  }
}

/** The key was written by somebody else since the caller read it. Reported only once that other write is visible. */
export class RevisionMismatch extends Error {
  override name = 'RevisionMismatch'
  readonly key: string
  readonly expected: number
  readonly actual: number
  constructor(key: string, expected: number, actual: number) {
    super(`key ${key} is at revision ${actual}, not ${expected}`)
    this.key = key
    this.expected = expected
    this.actual = actual
  }
}

/** A list asked for a revision below `compacted`, or a watch for events that have been forgotten. */
export class RevisionCompacted extends Error {
  override name = 'RevisionCompacted'
  readonly requested: number
  readonly compacted: number
  constructor(requested: number, compacted: number) {
    super(`revision ${requested} has been compacted, history begins at ${compacted}`)
    this.requested = requested
    this.compacted = compacted
  }
}

export class RevisionInFuture extends Error {
  override name = 'RevisionInFuture'
  readonly requested: number
  readonly current: number
  constructor(requested: number, current: number) {
    super(`revision ${requested} is in the future, the newest is ${current}`)
    this.requested = requested
    this.current = current
  }
}

/** A write could not be made durable (disk full, I/O error, too many waiting). Nothing of it is visible, now or after a restart. */
export class WriteFailed extends Error {
  override name = 'WriteFailed'
}

/** The data directory is held by another process, is of a newer format, or cannot be opened; or the store is closed. The message says which, and what to do. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable'
}
