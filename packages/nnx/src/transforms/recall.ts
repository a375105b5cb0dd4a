import { Tensor, tree } from "@jnx/tensor";
import { isObject } from "@jnx/tensor/internal";
import type { WalkListener } from "../graph-def.ts";
import type { AnyVariable, Metadata } from "../variable.ts";
import { gathered, isGraph, partOf, type Gathered, type Part } from "./lift.ts";

/**
 * Takes the arguments of one function apart, call after call. What hangs on the same objects as before is walked once; from
 * then on each thing that the walk met is only compared, in a tenth of the time. Objects are held as weakly as ever.
 */
export class Recall {
  #known = new Chain();

  /** As `gather` does. */
  gather(values: unknown): Gathered {
    const { leaves, paths, def } = tree.flattenWithPath(values, isGraph);
    // Graphs are objects.
    const roots = leaves.filter(isGraph) as object[];
    const known = this.#known.get(roots);
    const others = leaves.map((leaf, k) => (isGraph(leaf) ? undefined : partOf(leaf, paths[k] ?? [], new Map())));
    if (known !== undefined && known.walk.holds() && known.gathered.def.text === def.text)
      return refreshed(known.gathered, others);
    const [walk, index] = [new Walk(), new Map<object, number>()];
    const parts = leaves.map((leaf, k) => others[k] ?? partOf(leaf, paths[k] ?? [], index, walk));
    const made = gathered(def, parts, index);
    this.#known.set(roots, { walk, gathered: made });
    return made;
  }
}

/** The same graphs with what else is among the arguments now. */
function refreshed(known: Gathered, others: readonly (Part | undefined)[]): Gathered {
  const parts = known.parts.map((part, k) => others[k] ?? part);
  const same = known.parts.every((part, k) => {
    const now = parts[k];
    if (part.kind === "static") return now?.kind === "static" && part.value === now.value && !isObject(part.value);
    return part.kind === now?.kind;
  });
  return same ? { ...known, parts } : gathered(known.def, parts, known.index);
}

/** What was found below some roots. */
interface Found {
  readonly walk: Walk;
  readonly gathered: Gathered;
}

/** Things by several objects: gone with the first of them that is. */
class Chain {
  readonly #next = new WeakMap<object, Chain>();
  #found: Found | undefined;

  get(roots: readonly object[], from = 0): Found | undefined {
    const root = roots[from];
    return root === undefined ? this.#found : this.#next.get(root)?.get(roots, from + 1);
  }

  set(roots: readonly object[], found: Found, from = 0): void {
    const root = roots[from];
    if (root === undefined) {
      // Without a root there is nothing to be spared, and nothing that would let go of it.
      if (from > 0) this.#found = found;
      return;
    }
    let next = this.#next.get(root);
    if (next === undefined) this.#next.set(root, (next = new Chain()));
    next.set(roots, found, from + 1);
  }
}

/** Stands for whatever array is in a field: values come and go. */
const ARRAY = Symbol("nnx.array");

/** What a walk met, to be compared with what would be met now. */
class Walk implements WalkListener {
  readonly #variables: AnyVariable[] = [];
  readonly #metadata: Metadata[] = [];
  readonly #holders: object[] = [];
  readonly #names: (readonly unknown[])[] = [];
  readonly #values: (readonly unknown[])[] = [];
  #comparable = true;

  variable(variable: AnyVariable): void {
    this.#variables.push(variable);
    this.#metadata.push(variable.metadata);
  }

  container(holder: object): void {
    this.#holders.push(holder);
    this.#names.push(namesIn(holder));
    this.#values.push(valuesIn(holder).map((value) => (value instanceof Tensor ? ARRAY : value)));
  }

  /** It says what it is by its content, of whatever depth. */
  structure(): void {
    this.#comparable = false;
  }

  /** True if a walk would find the same. */
  holds(): boolean {
    if (!this.#comparable) return false;
    const [variables, metadata] = [this.#variables, this.#metadata];
    for (let k = 0; k < variables.length; k++) if (variables[k]?.metadata !== metadata[k]) return false;
    for (let k = 0; k < this.#holders.length; k++) {
      const holder = this.#holders[k] ?? [];
      if (!sameArrays(this.#values[k] ?? [], valuesIn(holder))) return false;
      if (!sameArrays(this.#names[k] ?? [], namesIn(holder))) return false;
    }
    return true;
  }
}

function namesIn(holder: object): readonly unknown[] {
  if (Array.isArray(holder)) return [];
  return holder instanceof Map ? [...holder.keys()] : Object.keys(holder);
}

function valuesIn(holder: object): readonly unknown[] {
  if (Array.isArray(holder)) return holder;
  return holder instanceof Map ? [...holder.values()] : Object.values(holder);
}

function sameArrays(was: readonly unknown[], now: readonly unknown[]): boolean {
  if (was.length !== now.length) return false;
  for (let k = 0; k < was.length; k++) {
    const [before, value] = [was[k], now[k]];
    if (before !== value && !(before === ARRAY ? value instanceof Tensor : Object.is(before, value))) return false;
  }
  return true;
}
