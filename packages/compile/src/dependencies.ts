import { groupInputs, members, span, type Group } from "./group.ts";
import type { Inliner } from "./inline.ts";

interface Place {
  readonly makers: Set<Group>;
  readonly readers: Set<Group>;
  /** Groups in the order in which they came: what is looked at first, merges first. */
  readonly serial: number;
  /** More than that of every maker, so that no path leads from a group to one of at least its level. */
  level: number;
}

/** The groups there are and who reads what whom makes, kept up to date merge by merge, in time that a merge's neighbours take. */
export class Dependencies {
  readonly #inliner: Inliner;
  readonly #places = new Map<Group, Place>();
  readonly #makers = new Map<number, Group>();
  readonly #readers = new Map<number, Set<Group>>();
  #serial = 0;

  constructor(inliner: Inliner) {
    this.#inliner = inliner;
  }

  /** In the order in which they came. */
  get groups(): Iterable<Group> {
    return this.#places.keys();
  }

  has(group: Group): boolean {
    return this.#places.has(group);
  }

  /** The groups that make what this one reads. */
  makersOf(group: Group): ReadonlySet<Group> {
    return this.#place(group).makers;
  }

  /** The groups that read what this one makes. */
  readersOf(group: Group): ReadonlySet<Group> {
    return this.#place(group).readers;
  }

  /** The groups that read a value and do not make it. */
  readersOfValue(id: number): ReadonlySet<Group> {
    return this.#readers.get(id) ?? new Set();
  }

  inOrder(groups: Iterable<Group>): Group[] {
    return [...groups].sort((a, b) => this.#place(a).serial - this.#place(b).serial);
  }

  /** Adds a group whose makers are there already. */
  add(group: Group): void {
    const makers = new Set<Group>();
    for (const id of groupInputs(group, this.#inliner)) {
      const maker = this.#makers.get(id);
      if (maker !== undefined) makers.add(maker);
    }
    this.#settle(group, makers, new Set());
    this.#raise([group], Math.max(0, ...[...makers].map((maker) => this.#place(maker).level + 1)));
  }

  /** One group in place of `parts`. */
  replace(parts: readonly Group[], by: Group): void {
    const places = parts.map((part) => this.#place(part));
    const others = (of: "makers" | "readers"): Set<Group> =>
      new Set(places.flatMap((place) => [...place[of]]).filter((group) => !parts.includes(group)));
    const [makers, readers] = [others("makers"), others("readers")];
    for (const part of parts) {
      this.#places.delete(part);
      for (const maker of makers) this.#place(maker).readers.delete(part);
      for (const reader of readers) this.#place(reader).makers.delete(part);
      for (const id of groupInputs(part, this.#inliner)) this.#readers.get(id)?.delete(part);
    }
    this.#settle(by, makers, readers);
    this.#raise([by], Math.max(...places.map(({ level }) => level)));
  }

  /** True if `group` needs something that `maker` makes by way of a third group. */
  waitsFor(group: Group, maker: Group): boolean {
    const { level } = this.#place(maker);
    const seen = new Set<Group>([maker]);
    const stack = [...this.makersOf(group)].filter((one) => one !== maker);
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (seen.has(next) || this.#place(next).level <= level) continue;
      seen.add(next);
      if (this.makersOf(next).has(maker)) return true;
      stack.push(...this.makersOf(next));
    }
    return false;
  }

  /** An order in which each group finds its inputs made; those whose last member came late run late. */
  schedule(): Group[] {
    const missing = new Map([...this.#places].map(([group, { makers }]) => [group, makers.size]));
    const ready = [...missing].filter(([, count]) => count === 0).map(([group]) => group);
    const order: Group[] = [];
    for (;;) {
      const next = ready.reduce<Group | undefined>(
        (best, group) => (best === undefined || span(group)[1] < span(best)[1] ? group : best),
        undefined,
      );
      if (next === undefined) break;
      ready.splice(ready.indexOf(next), 1);
      order.push(next);
      for (const reader of this.readersOf(next)) {
        const left = (missing.get(reader) ?? 0) - 1;
        missing.set(reader, left);
        if (left === 0) ready.push(reader);
      }
    }
    if (order.length < this.#places.size) throw new Error("jnx internal error: fused groups wait for each other");
    return order;
  }

  #place(group: Group): Place {
    const place = this.#places.get(group);
    if (place === undefined) throw new Error("jnx internal error: a group was merged away");
    return place;
  }

  #settle(group: Group, makers: Set<Group>, readers: Set<Group>): void {
    this.#places.set(group, { makers, readers, serial: this.#serial++, level: -1 });
    for (const id of members(group)) this.#makers.set(id, group);
    for (const maker of makers) this.#place(maker).readers.add(group);
    for (const reader of readers) this.#place(reader).makers.add(group);
    for (const id of groupInputs(group, this.#inliner)) {
      const known = this.#readers.get(id);
      if (known === undefined) this.#readers.set(id, new Set([group]));
      else known.add(group);
    }
  }

  /** Lifts groups to a level, and their readers above it. */
  #raise(groups: Iterable<Group>, level: number): void {
    const stack = [...groups].map((group) => ({ group, level }));
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const place = this.#place(next.group);
      if (place.level >= next.level) continue;
      place.level = next.level;
      for (const group of place.readers) stack.push({ group, level: next.level + 1 });
    }
  }
}
