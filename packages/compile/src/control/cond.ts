import { checkFunction } from "@jnx/autodiff/internal";
import { asTensor, convert, inArena, keptStorages, shapeText, type AnyFunction } from "@jnx/tensor/internal";
import {
  ArgumentError,
  clip,
  DtypeError,
  minimum,
  notEqual,
  promote,
  ShapeError,
  tree,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { close, evaluateNodes, type Closed } from "./closed.ts";
import { bindCond } from "./cond-op.ts";
import { checkSameTypes, leavesOf, namesOf, type TypedTree } from "./trees.ts";

/**
 * trueFun(...operands) where `pred` is true (or not zero), else falseFun(...operands). `pred` is a scalar that need not be
 * known on the host; operands are trees of arrays, and branches may close over more. Both branches are traced, and must give
 * the same tree of the same shapes and dtypes; JavaScript numbers adapt. Differentiable in both modes. Under a `vmap` that
 * gives each example a `pred` of its own both branches run and each example takes its own.
 *
 * @throws ShapeError when `pred` is no scalar; ArgumentError, ShapeError or DtypeError when the branches' results differ.
 * Source: lax.cond.
 * @example
 * const x = array(-2);
 * await cond(greater(x, 0), (v: Tensor) => v, (v: Tensor) => mul(v, -10), x).item(); // 20
 */
export function cond<A extends readonly unknown[], R>(
  pred: TensorLike,
  trueFun: (...operands: A) => R,
  falseFun: (...operands: A) => R,
  ...operands: A
): R {
  checkFunction("cond", trueFun);
  checkFunction("cond", falseFun);
  const choice = scalarOf("cond: the predicate", pred);
  const labels = ["falseFun", "trueFun"];
  const result = inArena(
    "cond",
    () => {
      // A number is as good as a truth value.
      const index = convert(notEqual(choice, 0), "int32");
      return branched({ name: "cond", labels, branches: [falseFun, trueFun] }, index, operands);
    },
    keptStorages,
  );
  return result as R; // the tree that the branches give
}

/**
 * branches[index](...operands), `index` held between 0 and the last branch. Otherwise as {@link cond}.
 *
 * @throws DtypeError when `index` is no integer, ArgumentError without branches, and as {@link cond}.
 * Source: lax.switch; in the namespace `lax` it has that name.
 * @example
 * const branches = [(x: Tensor) => neg(x), (x: Tensor) => square(x), (x: Tensor) => exp(x)];
 * await laxSwitch(array(1), branches, array(1.5)).item(); // 2.25
 */
export function laxSwitch<A extends readonly unknown[], R>(
  index: TensorLike,
  branches: readonly ((...operands: A) => R)[],
  ...operands: A
): R {
  const choice = scalarOf("switch: the index", index);
  if (choice.dtype !== "int32" && choice.dtype !== "uint32")
    throw new DtypeError(`switch: the index must be an integer, received ${choice.dtype}; convert it with astype()`);
  if (branches.length === 0) throw new ArgumentError("switch: needs at least one branch, received none");
  const last = branches.length - 1;
  const labels = branches.map((_, k) => `branch ${k}`);
  const result = inArena(
    "switch",
    () => {
      if (last === 0) return branches[0]?.(...operands);
      // Before the conversion: an index past 2³¹ is the last branch, not a negative number.
      const held = choice.dtype === "uint32" ? minimum(choice, last) : clip(choice, 0, last);
      return branched({ name: "switch", labels, branches }, convert(held, "int32"), operands);
    },
    keptStorages,
  );
  return result as R; // the tree that the branches give
}

function scalarOf(what: string, value: TensorLike): Tensor {
  const scalar = asTensor(value, what);
  if (scalar.ndim === 0) return scalar;
  throw new ShapeError(
    `${what} must be a scalar, received shape ${shapeText(scalar.shape)}; use vmap, or jnp.where for a choice by element`,
  );
}

interface Branches {
  readonly name: string;
  readonly labels: readonly string[];
  readonly branches: readonly AnyFunction[];
}

function branched({ name, labels, branches }: Branches, index: Tensor, operands: readonly unknown[]): unknown {
  const [leaves, def] = leavesOf(name, operands);
  const names = operands.flatMap((operand, k) => namesOf(`operand ${k}`, operand));
  const traced = branches.map((f): Closed & { type: TypedTree } => {
    let outDef: tree.TreeDef | undefined;
    const run = (symbols: Tensor[]): Tensor[] => {
      // The list of operands that was flattened.
      const [outputs, found] = leavesOf(name, f(...(tree.unflatten(def, symbols) as unknown[])));
      outDef = found;
      return outputs;
    };
    const closed = close(name, leaves, run, names);
    return { ...closed, type: { def: outDef ?? def, avals: closed.graph.outputs } };
  });
  const [first] = traced;
  if (first === undefined) return undefined;
  const dtypes = commonTypes(
    name,
    labels,
    traced.map(({ type }) => type),
  );
  const bodies = traced.map(
    ({ graph, lifted }) =>
      (symbols: Tensor[]) =>
        evaluateNodes(graph.outputs, [...symbols, ...lifted]).map((x, k) => convert(x, dtypes[k] ?? x.dtype, x.weak)),
  );
  return tree.unflatten(first.type.def, bindCond(name, index, leaves, bodies));
}

/** The dtype of each leaf of the result: JavaScript numbers take that of the other branches. */
function commonTypes(name: string, labels: readonly string[], types: readonly TypedTree[]): Tensor["dtype"][] {
  const [first] = types;
  const dtypes = (first?.avals ?? []).map((aval, k) => promote(types.map(({ avals }) => avals[k] ?? aval)).dtype);
  const adapted = types.map(({ def, avals }) => ({
    def,
    avals: avals.map((aval, k) => (aval.weak ? { ...aval, dtype: dtypes[k] ?? aval.dtype } : aval)),
  }));
  const [base] = adapted;
  adapted.forEach((other, k) => {
    const [a, b] = [
      { label: labels[k] ?? "", tree: other },
      { label: labels[0] ?? "", tree: base ?? other },
    ];
    checkSameTypes(name, "the branches must give the same tree, shapes and dtypes", a, b);
  });
  return dtypes;
}
