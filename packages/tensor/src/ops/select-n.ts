import { isFloat, promote } from "../dtype.ts";
import { DtypeError, ShapeError, ArgumentError } from "../errors.ts";
import { sameShape, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { where } from "./binary.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { greaterEqual } from "./logic.ts";

/**
 * onTrue where `pred` is true, else onFalse: both of one shape and dtype, `pred` a bool scalar or of that shape. Nothing
 * broadcasts or promotes; `where` does. The side not taken gets a zero cotangent. Source: lax.select.
 *
 * @throws DtypeError when pred is not bool or the dtypes differ, ShapeError when shapes differ.
 * @example
 * await laxSelect(array([true, false]), array([1, 2]), array([-1, -2])).toArray(); // [1, -2]
 */
export function laxSelect(pred: TensorLike, onTrue: TensorLike, onFalse: TensorLike): Tensor {
  const test = asTensor(pred, "select");
  if (test.dtype !== "bool")
    throw new DtypeError(`select: pred must be bool, received ${test.dtype}; compare it first`);
  return chosen("select", test, [asTensor(onFalse, "select"), asTensor(onTrue, "select")]);
}

/**
 * The element of cases[which], place by place: `which` is bool (false is the first case) or an integer held between 0 and
 * the last case, a scalar or of the cases' shape; all cases have one shape and dtype. Source: lax.select_n.
 *
 * @throws DtypeError when `which` is a float or the dtypes differ, ShapeError when shapes differ, ArgumentError without
 * cases or for more than two with a bool.
 * @example
 * await selectN(array([2, 0]), array([1, 2]), array([10, 20]), array([100, 200])).toArray(); // [100, 2]
 */
export function selectN(which: TensorLike, ...cases: readonly TensorLike[]): Tensor {
  const choice = asTensor(which, "selectN");
  if (isFloat(choice.dtype))
    throw new DtypeError(
      `selectN: which must be bool or an integer, received ${choice.dtype}; convert it with astype()`,
    );
  if (cases.length === 0) throw new ArgumentError("selectN: needs at least one case, received none");
  if (choice.dtype === "bool" && cases.length > 2)
    throw new ArgumentError(`selectN: a bool chooses among two cases, received ${cases.length}; pass an integer`);
  return chosen(
    "selectN",
    choice,
    cases.map((one) => asTensor(one, "selectN")),
  );
}

function chosen(name: string, which: Tensor, cases: readonly Tensor[]): Tensor {
  const [first] = cases;
  if (first === undefined) throw new ArgumentError(`${name}: needs at least one case, received none`);
  const typed = cases.find(({ weak }) => !weak) ?? first;
  const settled = cases.map((one) => fit(name, one, first, typed));
  if (which.ndim > 0 && !sameShape(which.shape, first.shape))
    throw new ShapeError(
      `${name}: the choice must be a scalar or of the cases' shape ${shapeText(first.shape)}, received ${shapeText(which.shape)}; broadcast it, or use where`,
    );
  return settled.slice(1).reduce<Tensor>((before, one, k) => {
    const taken = which.dtype === "bool" ? which : greaterEqual(which, k + 1);
    return where(taken, one, before);
  }, settled[0] ?? first);
}

/** A case of the type of the others: JavaScript numbers take it. */
function fit(name: string, one: Tensor, first: Tensor, { dtype, weak }: Tensor): Tensor {
  if (!sameShape(one.shape, first.shape))
    throw new ShapeError(
      `${name}: the cases must have one shape, received ${shapeText(first.shape)} and ${shapeText(one.shape)}; broadcast them, or use where`,
    );
  if (one.dtype === dtype) return one;
  if (one.weak && promote([one, { dtype, weak }]).dtype === dtype) return convert(one, dtype, weak);
  throw new DtypeError(
    `${name}: the cases must have one dtype, received ${dtype} and ${one.dtype}; convert one with astype()`,
  );
}
