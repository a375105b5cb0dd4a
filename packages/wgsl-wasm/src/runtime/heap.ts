/** Which ranges of an address space are free. Neighbours join, so that what was freed in pieces can be used as one. */
export class Heap {
  /** Sorted by address; no two touch. */
  private readonly free: { at: number; bytes: number }[] = [];

  /** A range of `bytes`, out of the smallest free one that holds it; undefined when there is none. */
  take(bytes: number): number | undefined {
    let best: { at: number; bytes: number } | undefined;
    for (const range of this.free) {
      if (range.bytes >= bytes && (best === undefined || range.bytes < best.bytes)) best = range;
    }
    if (best === undefined) return undefined;
    const { at } = best;
    best.at += bytes;
    best.bytes -= bytes;
    if (best.bytes === 0) this.free.splice(this.free.indexOf(best), 1);
    return at;
  }

  give(at: number, bytes: number): void {
    if (bytes === 0) return;
    const index = this.firstAfter(at);
    const before = this.free[index - 1];
    const after = this.free[index];
    const joinsBefore = before !== undefined && before.at + before.bytes === at;
    const joinsAfter = after !== undefined && at + bytes === after.at;
    if (joinsBefore) {
      before.bytes += bytes;
      if (joinsAfter) {
        before.bytes += after.bytes;
        this.free.splice(index, 1);
      }
    } else if (joinsAfter) {
      after.at = at;
      after.bytes += bytes;
    } else this.free.splice(index, 0, { at, bytes });
  }

  /** Free bytes that end at `end`: growth of the space continues them. */
  tail(end: number): number {
    const last = this.free.at(-1);
    return last !== undefined && last.at + last.bytes === end ? last.bytes : 0;
  }

  private firstAfter(at: number): number {
    let low = 0;
    let high = this.free.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.free[middle]?.at ?? Infinity) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
