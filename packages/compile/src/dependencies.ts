import { groupInputs, lastOf, members, type Group } from "./group.ts";
import type { Inliner } from "./inline.ts";
import { Sorted } from "./sorted.ts";

/** Levels lie that far apart at first, so that lifting one group seldom lifts all that come after it. */
const APART = 2 ** 20;
/** What is so far apart is taken to wait: it nearly always does, and all between would have to be looked at. */
const FAR = 1024 * APART;

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
  readonly #readers = new Map<number, Sorted<Group>>();
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
  readersOfValue(id: number): Sorted<Group> {
    return this.#readers.get(id) ?? new Sorted(lastOf);
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
    this.#raise(group, Math.max(0, ...[...makers].map((maker) => this.#place(maker).level + APART)));
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
    this.#raise(by, Math.max(...places.map(({ level }) => level)));
  }

  /** True if `group` needs something that `maker` makes by way of a third group, or is far from it. */
  waitsFor(group: Group, maker: Group): boolean {
    const { level } = this.#place(maker);
    const stack = [...this.makersOf(group)].filter((one) => one !== maker);
    const others = [...this.readersOf(maker)].some((one) => one !== group);
    if (stack.length === 0 || !others) return false;
    if (this.#place(group).level - level > FAR) return true;
    const seen = new Set<Group>([maker]);
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
    const ready = new Sorted<Group>(
      lastOf,
      [...missing].flatMap(([group, count]) => (count === 0 ? [group] : [])),
    );
    const order: Group[] = [];
    for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
      order.push(next);
      for (const reader of this.readersOf(next)) {
        const left = (missing.get(reader) ?? 0) - 1;
        missing.set(reader, left);
        if (left === 0) ready.add(reader);
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
      if (known === undefined) this.#readers.set(id, new Sorted(lastOf, [group]));
      else known.add(group);
    }
  }

  /** Lifts a group to a level, and its readers above it. */
  #raise(lifted: Group, least: number): void {
    const stack = [{ group: lifted, level: least }];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const place = this.#place(next.group);
      if (place.level >= next.level) continue;
      place.level = next.level;
      for (const group of place.readers) stack.push({ group, level: next.level + 1 });
    }
  }
}
