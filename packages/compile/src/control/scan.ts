import { convert, inArena, keptStorages, checkOptions } from "@jnx/tensor/internal";
import { ArgumentError, laxSlice, reshape, ShapeError, stack, tree, type Tensor } from "@jnx/tensor";
import { evalShape, ShapeDtypeStruct } from "../abstract.ts";
import { bindScan } from "./scan-op.ts";
import { checkSameTypes, leavesOf } from "./trees.ts";

const SCAN_OPTIONS = { length: true, reverse: true, unroll: true } as const;

/** Options of `scan`. */
export interface ScanOptions {
  /** How many steps; needed only when there are no xs. */
  readonly length?: number;
  /** True to go from the last row to the first; ys stay in the order of xs. */
  readonly reverse?: boolean;
  /** True to write the steps out one after another instead of looping: for few steps, or bodies that differ. */
  readonly unroll?: boolean;
}

/**
 * A loop with a state: `f(carry, x)` gives `[carry, y]` for each row x of `xs` (a tree whose leaves share their first
 * axis, or null), the last carry and the stacked ys come out. The body is traced and compiled once, however many steps
 * there are; its derivative is a loop in the other direction.
 *
 * @throws ShapeError, DtypeError or ArgumentError when the carry changes its shape, dtype or tree on the way, or when
 * the rows of xs and `length` differ.
 * Source: lax.scan.
 * @example
 * const cumulate = (total: Tensor, x: Tensor): [Tensor, Tensor] => [add(total, x), add(total, x)];
 * scan(cumulate, array(0.5), array([1, 2, 3])); // [6.5, [1.5, 3.5, 6.5]]
 */
export function scan<C, X, Y>(
  f: (carry: C, x: X) => readonly [C, Y],
  init: C,
  xs: X,
  options: ScanOptions = {},
): [C, Y] {
  checkOptions("scan", options, SCAN_OPTIONS);
  const result = inArena("scan", () => scanned(f as Step, init, xs, options), keptStorages); // trees are checked at run time
  return result as [C, Y]; // the trees that f gives
}

type Step = (carry: unknown, x: unknown) => readonly [unknown, unknown];

function scanned(f: Step, init: unknown, xs: unknown, options: ScanOptions): [unknown, unknown] {
  const [rows, rowsDef] = leavesOf(xs);
  const length = lengthOf(rows, options.length);
  const [start, carryDef] = leavesOf(init);
  const carry = settled(f, start, carryDef, rows, rowsDef);
  const { reverse = false } = options;
  if (options.unroll === true) return writtenOut(f, tree.unflatten(carryDef, carry), rows, rowsDef, length, reverse);
  let yDef: tree.TreeDef | undefined;
  const results = bindScan({ carry, xs: rows, constants: [] }, { length, reverse }, (parts) => {
    const [next, y] = stepOf(f, tree.unflatten(carryDef, parts.carry), tree.unflatten(rowsDef, parts.xs));
    const [ys, def] = leavesOf(y);
    yDef = def;
    return [...checkedCarry(carry, carryDef, next), ...ys];
  });
  const ys = yDef === undefined ? undefined : tree.unflatten(yDef, results.slice(carry.length));
  return [tree.unflatten(carryDef, results.slice(0, carry.length)), ys];
}

function stepOf(f: Step, carry: unknown, x: unknown): readonly [unknown, unknown] {
  const returned: unknown = f(carry, x);
  if (Array.isArray(returned) && returned.length === 2) return [returned[0], returned[1]];
  throw new ArgumentError("scan: the function must return [carry, y]; give null for a y that is not wanted");
}

function lengthOf(rows: readonly Tensor[], asked: number | undefined): number {
  if (asked !== undefined && (!Number.isInteger(asked) || asked < 0))
    throw new ArgumentError(`scan: length must be a whole number ≥ 0, received ${asked}`);
  const flat = rows.find(({ ndim }) => ndim === 0);
  if (flat !== undefined)
    throw new ShapeError("scan: xs has a scalar, which has no rows; close over what every step shares");
  const length = asked ?? rows[0]?.shape[0];
  if (length === undefined) throw new ArgumentError("scan: xs has no arrays; say how many steps with { length }");
  const other = rows.find(({ shape }) => shape[0] !== length);
  if (other === undefined) return length;
  const sizes = rows.map(({ shape }) => shape[0]).join(", ");
  throw new ShapeError(
    `scan: all xs must have one number of rows, received ${sizes}${asked === undefined ? "" : `; length is ${asked}`}`,
  );
}

/** The first carry in the type that the body gives it: JavaScript numbers adapt. */
function settled(
  f: Step,
  start: readonly Tensor[],
  def: tree.TreeDef,
  rows: readonly Tensor[],
  rowsDef: tree.TreeDef,
): Tensor[] {
  let carry = [...start];
  for (let round = 0; carry.some(({ weak }) => weak) && round < 3; round++) {
    const heads = rows.map(({ shape, dtype, weak }) => ({ shape: shape.slice(1), dtype, weak }));
    const next = evalShape(
      (given: Tensor[], x: Tensor[]) =>
        tree.leaves(stepOf(f, tree.unflatten(def, given), tree.unflatten(rowsDef, x))[0]),
      carry,
      heads.map(({ shape, dtype }) => new ShapeDtypeStruct(shape, dtype)),
    ) as readonly { dtype: Tensor["dtype"] }[]; // a list of shapes and dtypes
    carry = carry.map((x, k) => (x.weak ? convert(x, next[k]?.dtype ?? x.dtype, false) : x));
  }
  return carry;
}

/** The next carry, of the same types as the one before. */
function checkedCarry(carry: readonly Tensor[], def: tree.TreeDef, next: unknown): Tensor[] {
  const [leaves, nextDef] = leavesOf(next);
  checkSameTypes(
    "scan",
    "the carry must keep its tree, shapes and dtypes on the way",
    { label: "the start", tree: { def, avals: carry } },
    { label: "the function", tree: { def: nextDef, avals: leaves } },
  );
  return leaves;
}

function writtenOut(
  f: Step,
  init: unknown,
  rows: readonly Tensor[],
  rowsDef: tree.TreeDef,
  length: number,
  reverse: boolean,
): [unknown, unknown] {
  let carry = init;
  const ys: unknown[] = [];
  for (let step = 0; step < length; step++) {
    const index = reverse ? length - 1 - step : step;
    const row = rows.map((x) => {
      const starts = x.shape.map((_, axis) => (axis === 0 ? index : 0));
      const limits = x.shape.map((extent, axis) => (axis === 0 ? index + 1 : extent));
      return reshape(laxSlice(x, starts, limits), x.shape.slice(1));
    });
    const [next, y] = stepOf(f, carry, tree.unflatten(rowsDef, row));
    carry = tree.unflatten(tree.structure(carry), checkedCarry(leavesOf(carry)[0], tree.structure(carry), next));
    ys.push(y);
  }
  if (reverse) ys.reverse();
  if (length === 0) throw new ArgumentError("scan: a loop of no steps cannot be written out; leave unroll away");
  const [, def] = leavesOf(ys[0]);
  const columns = ys.map((y) => leavesOf(y)[0]);
  const stacks = (columns[0] ?? []).map((_, k) => stack(columns.flatMap((column) => column[k] ?? [])));
  return [carry, tree.unflatten(def, stacks)];
}

/**
 * f of every row of a tree of arrays, one after another, the results stacked. `vmap` does the same at once, with more
 * memory. Source: lax.map.
 *
 * @throws as {@link scan}.
 * @example laxMap((x: Tensor) => mul(x, x), array([1, 2, 3])); // [1, 4, 9]
 */
export function laxMap<X, Y>(f: (x: X) => Y, xs: X): Y {
  return scan((_: null, x: X) => [null, f(x)] as const, null, xs)[1];
}
