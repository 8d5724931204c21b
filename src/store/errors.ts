/** What a store may answer instead of doing as it was told. Wire statuses are the server's business. */
export class KeyExists extends Error {
  override name = 'KeyExists'
  constructor(readonly key: string) {
    super(`key ${key} exists`)
  }
}

export class KeyNotFound extends Error {
  override name = 'KeyNotFound'
  constructor(readonly key: string) {
    super(`key ${key} not found`)
  }
}

/** The key was written by somebody else since the caller read it. Reported only once that other write is visible. */
export class RevisionMismatch extends Error {
  override name = 'RevisionMismatch'
  constructor(
    readonly key: string,
    readonly expected: number,
    readonly actual: number,
  ) {
    super(`key ${key} is at revision ${actual}, not ${expected}`)
  }
}

export class RevisionCompacted extends Error {
  override name = 'RevisionCompacted'
  constructor(
    readonly requested: number,
    readonly compacted: number,
  ) {
    super(`revision ${requested} has been compacted, the oldest kept is ${compacted + 1}`)
  }
}

export class RevisionInFuture extends Error {
  override name = 'RevisionInFuture'
  constructor(
    readonly requested: number,
    readonly current: number,
  ) {
    super(`revision ${requested} is in the future, the newest is ${current}`)
  }
}

/** A write could not be made durable (disk full, I/O error). Nothing of it is visible, now or after a restart. */
export class WriteFailed extends Error {
  override name = 'WriteFailed'
}

/** The data directory is held by another process, is of a newer format, or cannot be opened. The message says which, and what to do. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable'
}
