/** Things in the order of a number that each has for itself. */
export class Sorted<T> {
  readonly #key: (item: T) => number;
  /** The least last, where it is taken out at once. */
  readonly #items: T[];

  constructor(key: (item: T) => number, items: Iterable<T> = []) {
    this.#key = key;
    this.#items = [...new Set(items)].sort((a, b) => key(b) - key(a));
  }

  *[Symbol.iterator](): Iterator<T> {
    yield* this.#items;
  }

  /** Adds it unless it is there. */
  add(item: T): void {
    const at = this.#find(item);
    if (this.#items[at] !== item) this.#items.splice(at, 0, item);
  }

  delete(item: T): void {
    const at = this.#find(item);
    if (this.#items[at] === item) this.#items.splice(at, 1);
  }

  /** Takes the least one out. */
  pop(): T | undefined {
    return this.#items.pop();
  }

  /** Up to so many whose numbers are nearest to that of `item`. */
  nearest(item: T, count: number): T[] {
    const distance = (at: number): number => {
      const there = this.#items[at];
      return there === undefined ? Infinity : Math.abs(this.#key(there) - this.#key(item));
    };
    let begin = this.#find(item);
    let end = begin;
    while (end - begin < Math.min(count, this.#items.length))
      if (distance(begin - 1) < distance(end)) begin--;
      else end++;
    return this.#items.slice(begin, end);
  }

  /** The place of the first that is not greater. */
  #find(item: T): number {
    const key = this.#key(item);
    let [low, high] = [0, this.#items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const there = this.#items[middle];
      if (there !== undefined && this.#key(there) > key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
