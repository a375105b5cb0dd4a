import { inArena, keptStorages, normalizeAxis, checkOptions } from "@jnx/tensor/internal";
import { ArgumentError, concatenate, flip, laxSlice, reshape, ShapeError, stack, tree, type Tensor } from "@jnx/tensor";
import { leavesOf } from "./trees.ts";

const ASSOCIATIVE_SCAN_OPTIONS = { reverse: "flag", axis: "number" } as const;

/** Options of `associativeScan`. */
export interface AssociativeScanOptions {
  /** True to combine from the last element to the first. */
  readonly reverse?: boolean;
  /** Along which axis of every leaf; the first unless told. */
  readonly axis?: number;
}

/**
 * All partial combinations x₀, x₀∘x₁, x₀∘x₁∘x₂, … in about 2·log₂ n steps: `f(a, b)` must be associative, and is given
 * trees of many elements at once, side by side along `axis`, to combine pair by pair. With `reverse` they run from the end,
 * and f is given the later element first. Differentiable in both modes.
 *
 * @throws ShapeError when leaves differ in length along the axis or f changes a shape, ArgumentError when there are no
 * arrays or f gives another tree.
 * Source: lax.associative_scan; Blelloch, "Prefix sums and their applications", 1990.
 * @example associativeScan((a: Tensor, b: Tensor) => mul(a, b), array([1, 2, 3, 4])); // [1, 2, 6, 24]
 */
export function associativeScan<T>(f: (a: T, b: T) => T, elems: T, options: AssociativeScanOptions = {}): T {
  checkOptions("associativeScan", options, ASSOCIATIVE_SCAN_OPTIONS);
  const [leaves, def] = leavesOf("associativeScan", elems);
  const [first] = leaves;
  if (first === undefined) throw new ArgumentError("associativeScan: the tree has no arrays to combine");
  const { reverse = false } = options;
  const axis = normalizeAxis("associativeScan", options.axis ?? 0, first.ndim);
  checkLengths(leaves, axis);
  const combine = (a: readonly Tensor[], b: readonly Tensor[]): Tensor[] => {
    const combined = f(tree.unflatten(def, a) as T, tree.unflatten(def, b) as T); // the tree of elems
    const [result, resultDef] = leavesOf("associativeScan", combined);
    if (resultDef.text !== def.text)
      throw new ArgumentError(
        `associativeScan: f must give the tree it is given, ${def.text}, received ${resultDef.text}`,
      );
    return result.map((x, k) => checkedShape(x, a[k] ?? x));
  };
  const result = inArena(
    "associativeScan",
    () => {
      const ordered = reverse ? leaves.map((x) => flip(x, { axis })) : leaves;
      const scanned = scanPairs(combine, ordered, axis);
      return tree.unflatten(def, reverse ? scanned.map((x) => flip(x, { axis })) : scanned);
    },
    keptStorages,
  );
  return result as T; // the tree of elems
}

function checkLengths(leaves: readonly Tensor[], axis: number): void {
  const lengths = leaves.map(({ shape }) => shape[axis]);
  if (lengths.every((length) => length !== undefined && length === lengths[0])) return;
  const list = leaves.map(({ shape }) => `[${shape.join(", ")}]`).join(", ");
  throw new ShapeError(`associativeScan: all arrays must be of one length along axis ${axis}, received shapes ${list}`);
}

function checkedShape(x: Tensor, like: Tensor): Tensor {
  if (x.shape.length === like.shape.length && x.shape.every((extent, k) => extent === like.shape[k])) return x;
  throw new ShapeError(
    `associativeScan: f must keep shapes, received [${x.shape.join(", ")}] for [${like.shape.join(", ")}]`,
  );
}

type Combine = (a: readonly Tensor[], b: readonly Tensor[]) => Tensor[];

/** Neighbours are combined, the scan of those gives every second result, and one more combination the ones between. */
function scanPairs(combine: Combine, elems: readonly Tensor[], axis: number): readonly Tensor[] {
  const n = elems[0]?.shape[axis] ?? 0;
  if (n < 2) return elems;
  const every = (list: readonly Tensor[], from: number, to: number, step: number): Tensor[] =>
    list.map((x) => part(x, axis, from, to, step));
  const odd = scanPairs(combine, combine(every(elems, 0, n - 1, 2), every(elems, 1, n, 2)), axis);
  const head = every(elems, 0, 1, 1);
  const between = n > 2 ? combine(every(odd, 0, Math.ceil(n / 2) - 1, 1), every(elems, 2, n, 2)) : [];
  return elems.map((_, k) => {
    const even = [head[k], between[k]].flatMap((x) => x ?? []);
    const [evens, odds] = [even.length === 1 ? even[0] : concatenate(even, { axis }), odd[k]];
    if (evens === undefined || odds === undefined) throw new Error("jnx internal error: a scan lacks a value");
    return interleaved(evens, odds, axis);
  });
}

function part(x: Tensor, axis: number, from: number, to: number, step: number): Tensor {
  const starts = x.shape.map((_, k) => (k === axis ? from : 0));
  const limits = x.shape.map((extent, k) => (k === axis ? to : extent));
  return laxSlice(
    x,
    starts,
    limits,
    x.shape.map((_, k) => (k === axis ? step : 1)),
  );
}

/** even₀, odd₀, even₁, odd₁, …; there may be one even more. */
function interleaved(even: Tensor, odd: Tensor, axis: number): Tensor {
  const [evens, odds] = [even.shape[axis] ?? 0, odd.shape[axis] ?? 0];
  const pairs = stack([part(even, axis, 0, odds, 1), odd], { axis: axis + 1 });
  const joined = reshape(
    pairs,
    odd.shape.map((extent, k) => (k === axis ? 2 * extent : extent)),
  );
  return evens === odds ? joined : concatenate([joined, part(even, axis, odds, evens, 1)], { axis });
}
