/** Keeps released blocks for reuse, by size class. Knows nothing of WebGPU. */

/** The smallest block: buffers of a few bytes are common, and devices align to 256 anyway. */
const SMALLEST = 256;

/**
 * Rounds up to a size class: four classes per power of two, so at most a quarter is wasted. 1 byte takes 256, 1025 take 1280.
 */
export function sizeClass(bytes: number): number {
  if (bytes <= SMALLEST) return SMALLEST;
  const step = 2 ** Math.floor(Math.log2(bytes)) / 4;
  return Math.ceil(bytes / step) * step;
}

/** What the pool stores: anything with a fixed size. */
export interface Block {
  readonly bytes: number;
}

interface Kept<B> {
  readonly block: B;
  readonly since: number;
}

/** Free blocks by size. The latest released is the first reused; the longest unused is the first destroyed. */
export class Pool<B extends Block> {
  /** Bytes of the free blocks. */
  bytes = 0;
  private readonly classes = new Map<number, Kept<B>[]>();
  private readonly destroy: (block: B) => void;
  private clock = 0;

  constructor(destroy: (block: B) => void) {
    this.destroy = destroy;
  }

  /** A free block of exactly `bytes`, or undefined. */
  take(bytes: number): B | undefined {
    const kept = this.classes.get(bytes)?.pop();
    if (kept === undefined) return undefined;
    this.bytes -= bytes;
    return kept.block;
  }

  /** Whether there is a free block of exactly `bytes`. */
  has(bytes: number): boolean {
    return (this.classes.get(bytes)?.length ?? 0) > 0;
  }

  give(block: B): void {
    let list = this.classes.get(block.bytes);
    if (list === undefined) {
      list = [];
      this.classes.set(block.bytes, list);
    }
    list.push({ block, since: this.clock++ });
    this.bytes += block.bytes;
  }

  /** Destroys the longest unused blocks until at most `limit` bytes are kept. */
  trim(limit: number): void {
    while (this.bytes > limit) {
      const list = this.oldest();
      const kept = list?.shift();
      if (kept === undefined) return;
      this.bytes -= kept.block.bytes;
      this.destroy(kept.block);
    }
  }

  private oldest(): Kept<B>[] | undefined {
    let found: Kept<B>[] | undefined;
    let since = Infinity;
    for (const [bytes, list] of this.classes) {
      const first = list[0];
      if (first === undefined) this.classes.delete(bytes);
      else if (first.since < since) {
        since = first.since;
        found = list;
      }
    }
    return found;
  }
}
