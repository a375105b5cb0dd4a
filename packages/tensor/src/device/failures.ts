interface Failure {
  readonly error: Error;
  readonly seq: number;
  /** Awaits queued from here on no longer throw it: someone has been told. */
  seenAt: number;
}

const MOST_KEPT = 16;

/** Errors of queued work, kept until an await can throw them. */
export class Failures {
  private list: Failure[] = [];

  /** `seq` is the command that failed; 0 when it is not known, which concerns every await. */
  record(error: Error, seq: number): void {
    this.list.push({ error, seq, seenAt: Infinity });
    if (this.list.length > MOST_KEPT) {
      // The first errors tell the cause, the later ones its consequences.
      const seen = this.list.findIndex((failure) => failure.seenAt !== Infinity);
      this.list.splice(seen === -1 ? MOST_KEPT : seen, 1);
    }
  }

  /**
   * The error that an await queued as command `seq` has to throw: of a command before it, and not thrown before it was
   * queued. Several awaits in flight when something fails all throw it, for the data of each may be wrong.
   */
  take(seq: number, next: number): Error | undefined {
    let first: Failure | undefined;
    for (const failure of this.list) {
      if (failure.seq > seq || seq >= failure.seenAt) continue;
      first ??= failure;
      failure.seenAt = Math.min(failure.seenAt, next);
    }
    return first?.error;
  }
}
