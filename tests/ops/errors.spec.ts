import { useDevice } from "@jnx/testing";
import * as t from "@jnx/tensor";
import { describe, expect, test } from "vitest";

type ErrorClass = new (message: string) => Error;
type Misuse = readonly [label: string, wrong: () => unknown, kind: ErrorClass, words: readonly string[]];

const x = (...shape: number[]): t.Tensor => t.zeros(shape);
const bools = (): t.Tensor => t.zeros([2], { dtype: "bool" });
/** A value that TypeScript would refuse. */
const untyped = (value: unknown): never => value as never;

/** What each message must hold: the op, what was received, and the rule or the remedy. */
const misuse: readonly Misuse[] = [
  [
    "add of shapes that do not broadcast",
    () => t.add(x(2, 3), x(4)),
    t.ShapeError,
    ["add", "[2, 3]", "[4]", "broadcast"],
  ],
  [
    "where of shapes that do not broadcast",
    () => t.where(x(2), x(3), 0),
    t.ShapeError,
    ["where", "[2]", "[3]", "broadcast"],
  ],
  [
    "convGeneralDilatedPatches of a window of another rank",
    () => t.convGeneralDilatedPatches(x(1, 2, 5), [2, 2], [1], "VALID"),
    t.ArgumentError,
    ["convGeneralDilatedPatches", "[2, 2]", "3 axes"],
  ],
  [
    "convGeneralDilatedPatches without channels",
    () => t.convGeneralDilatedPatches(x(1, 2, 5), [2], [1], "VALID", { dimensionNumbers: ["NXW", "OIW", "NXW"] }),
    t.ArgumentError,
    ["convGeneralDilatedPatches", '"NXW"', "NHWC"],
  ],
  ["sub of bools", () => t.sub(bools(), bools()), t.DtypeError, ["sub", "bool", "astype"]],
  ["neg of bools", () => t.neg(bools()), t.DtypeError, ["neg", "bool", "astype"]],
  ["sign of bools", () => t.sign(bools()), t.DtypeError, ["sign", "bool", "astype"]],
  ["bitwiseAnd of floats", () => t.bitwiseAnd(x(2), x(2)), t.DtypeError, ["bitwiseAnd", "float32", "int32", "astype"]],
  ["leftShift of floats", () => t.leftShift(x(2), 1), t.DtypeError, ["leftShift", "float32", "astype"]],
  ["gcd of floats", () => t.gcd(x(2), 2), t.DtypeError, ["gcd", "float32", "astype"]],
  [
    "einsum of a letter with two extents",
    () => t.einsum("ij,jk", x(2, 3), x(4, 5)),
    t.ShapeError,
    ["einsum", '"j"', "3", "4"],
  ],
  ["einsum of too few letters", () => t.einsum("i->i", x(2, 3)), t.ArgumentError, ["einsum", '"i"', "[2, 3]"]],
  ["einsum of two arrows", () => t.einsum("i->i->i", x(2)), t.ArgumentError, ["einsum", "i->i->i"]],
  [
    "dotGeneral of axes that do not pair up",
    () =>
      t.dotGeneral(x(2, 3), x(4, 5), [
        [[1], [0]],
        [[], []],
      ]),
    t.ShapeError,
    ["dotGeneral", "[2, 3]", "[4, 5]", "3", "4"],
  ],
  ["tensordot over too many axes", () => t.tensordot(x(2), x(2), 2), t.ShapeError, ["tensordot", "2 axes", "[2]"]],
  ["cross of vectors of 4", () => t.cross(x(4), x(4)), t.ShapeError, ["cross", "[4]"]],
  ["cholesky of a rectangle", () => t.linalg.cholesky(x(2, 3)), t.ShapeError, ["cholesky", "square", "[2, 3]"]],
  [
    "solve with a right side that does not fit",
    () => t.linalg.solve(x(2, 2), x(3)),
    t.ShapeError,
    ["solve", "[2, 2]", "[3]"],
  ],
  [
    "qr in an unknown mode",
    () => t.linalg.qr(x(2, 2), { mode: untyped("raw") }),
    t.ArgumentError,
    ["qr", "raw", "complete"],
  ],
  ["eigh of a rectangle", () => t.linalg.eigh(x(2, 3)), t.ShapeError, ["eigh", "square", "[2, 3]"]],
  [
    "eigh of an unknown triangle",
    () => t.linalg.eigh(x(2, 2), { UPLO: untyped("l") }),
    t.ArgumentError,
    ["eigh", "UPLO", '"l"'],
  ],
  [
    "eigh of eigenvalues that are not there",
    () => t.laxLinalg.eigh(x(2, 2), { subsetByIndex: [1, 3] }),
    t.ArgumentError,
    ["eigh", "[1, 3]", "2 eigenvalues"],
  ],
  ["svd of a vector", () => t.linalg.svd(x(2)), t.ShapeError, ["svd", "matrices", "[2]"]],
  ["norm of an order that is none", () => t.linalg.norm(x(2, 2), { ord: 3 }), t.ArgumentError, ["norm", "3", '"nuc"']],
  [
    "pinv with two names of one option",
    () => t.linalg.pinv(x(2, 2), { rtol: 0.1, rcond: 0.1 }),
    t.ArgumentError,
    ["pinv", "rtol", "rcond"],
  ],
  ["cond of nothing", () => t.linalg.cond(x(2, 0)), t.ShapeError, ["cond", "[2, 0]"]],
  [
    "polar from no side",
    () => t.scipyLinalg.polar(x(2, 2), { side: untyped("up") }),
    t.ArgumentError,
    ["polar", "right", '"up"'],
  ],
  [
    "solveTriangular turned some other way",
    () => t.scipyLinalg.solveTriangular(x(2, 2), x(2), { trans: untyped(3) }),
    t.ArgumentError,
    ["solveTriangular", "trans", "3"],
  ],
  [
    "solve by an unknown assumption",
    () => t.scipyLinalg.solve(x(2, 2), x(2), { assumeA: untyped("banded") }),
    t.ArgumentError,
    ["solve", "banded", "pos"],
  ],
  ["toeplitz of a matrix", () => t.scipyLinalg.toeplitz(x(2, 2)), t.ShapeError, ["toeplitz", "[2, 2]"]],
  [
    "bitcastConvertType to bool",
    () => t.bitcastConvertType(x(2), "bool"),
    t.DtypeError,
    ["bitcastConvertType", "bool"],
  ],
  ["a JavaScript array as operand", () => t.add(x(2), untyped([1, 2])), t.DtypeError, ["Tensor", "array", "jnp.array"]],
  ["undefined as operand", () => t.exp(untyped(undefined)), t.DtypeError, ["Tensor", "undefined"]],
  ["a string as operand", () => t.mul(untyped("2"), x(1)), t.DtypeError, ["Tensor", "2"]],
  [
    "astype of an unknown dtype",
    () => t.astype(x(2), untyped("float64")),
    t.DtypeError,
    ["astype", "float64", "float32, int32, uint32, bool"],
  ],
  [
    "zeros of an unknown dtype",
    () => t.zeros([1], { dtype: untyped("f32") }),
    t.DtypeError,
    ["zeros", "f32", "float32"],
  ],
  [
    "a word for a flag",
    () => t.sum(t.ones([2]), { keepdims: untyped("no") }),
    t.ArgumentError,
    ["sum", "keepdims", "no"],
  ],
  [
    "a misspelt option of at",
    () => t.at(t.ones([2]), 0).set(1, untyped({ mod: "drop" })),
    t.ArgumentError,
    ["at.set", "mod"],
  ],
  [
    "a misspelt option of at.get",
    () => t.at(t.ones([2]), 0).get(untyped({ fill: 1 })),
    t.ArgumentError,
    ["at.get", "fill"],
  ],
  [
    "a list where add takes an array",
    () => t.add(1, untyped([1])),
    t.DtypeError,
    ["add", "JavaScript array", "jnp.array"],
  ],
  ["exp of nothing", () => t.exp(untyped(undefined)), t.DtypeError, ["exp", "undefined"]],
  ["a word for ddof", () => t.variance(t.ones([2]), { ddof: untyped("1") }), t.ArgumentError, ["var", "ddof", "1"]],
  [
    "two words of dimension numbers",
    () =>
      t.convGeneralDilated(t.ones([1, 1, 3, 3]), t.ones([1, 1, 2, 2]), { dimensionNumbers: untyped(["NCHW", "OIHW"]) }),
    t.ArgumentError,
    ["convGeneralDilated", "NCHW", "three words"],
  ],
  ["zeros of a fraction", () => t.zeros(2.5), t.ShapeError, ["zeros", "2.5"]],
  ["ones of a negative extent", () => t.ones([2, -1]), t.ShapeError, ["ones", "[2, -1]"]],
  ["full of a fraction of an extent", () => t.full([1.5], 0), t.ShapeError, ["full", "[1.5]"]],
  ["ragged rows", () => t.array([[1, 2], [3]]), t.ShapeError, ["array", "ragged", "1"]],
  ["numbers at different depths", () => t.array([1, [2]]), t.ShapeError, ["array", "ragged", "depth"]],
  ["rows at different depths", () => t.array([[1], 2]), t.ShapeError, ["array", "ragged", "depth"]],
  ["strings in an array", () => t.array(untyped(["1"])), t.DtypeError, ["array", "string"]],
  [
    "a typed array that does not fill its shape",
    () => t.array(new Float32Array(5), { shape: [2, 3] }),
    t.ShapeError,
    ["array", "5", "[2, 3]", "6"],
  ],
  ["a BigInt64Array", () => t.array(new BigInt64Array(1)), t.DtypeError, ["array", "BigInt64Array", "Int32Array"]],
  ["arange of NaN", () => t.arange(NaN), t.ArgumentError, ["arange", "NaN", "finite"]],
  ["arange with no step", () => t.arange(0, 3, 0), t.ArgumentError, ["arange", "step", "0"]],
  [
    "broadcastedIota of a wrong axis",
    () => t.broadcastedIota("int32", [2], 1),
    t.ShapeError,
    ["broadcastedIota", "axis 1"],
  ],
  ["reshape to another size", () => t.reshape(x(2, 3), [4]), t.ShapeError, ["reshape", "[2, 3]", "6", "[4]"]],
  ["reshape that does not divide", () => t.reshape(x(2, 3), [4, -1]), t.ShapeError, ["reshape", "[2, 3]", "[4, -1]"]],
  ["reshape with two unknowns", () => t.reshape(x(4), [-1, -1]), t.ShapeError, ["reshape", "-1"]],
  ["transpose with an axis twice", () => t.transpose(x(2, 3), [0, 0]), t.ShapeError, ["transpose", "[0, 0]", "2"]],
  ["transpose of too few axes", () => t.transpose(x(2, 3), [0]), t.ShapeError, ["transpose", "[0]", "2"]],
  ["swapaxes out of range", () => t.swapaxes(x(2), 0, 2), t.ShapeError, ["swapaxes", "axis 2"]],
  ["moveaxis out of range", () => t.moveaxis(x(2), 3, 0), t.ShapeError, ["moveaxis", "axis 3"]],
  [
    "broadcastTo a shape that does not fit",
    () => t.broadcastTo(x(2), [3]),
    t.ShapeError,
    ["broadcastTo", "[2]", "[3]"],
  ],
  ["broadcastTo fewer axes", () => t.broadcastTo(x(1, 2), [2]), t.ShapeError, ["broadcastTo", "[1, 2]", "[2]"]],
  ["squeeze of an axis that is not 1", () => t.squeeze(x(1, 2), 1), t.ShapeError, ["squeeze", "axis 1", "[1, 2]", "2"]],
  ["expandDims with an axis twice", () => t.expandDims(x(2), [0, 0]), t.ShapeError, ["expandDims", "[0, 0]", "twice"]],
  ["laxSlice past the end", () => t.laxSlice(x(3), [0], [4]), t.ShapeError, ["slice", "[0]", "[4]", "[3]", "limit"]],
  ["laxSlice of too few axes", () => t.laxSlice(x(3, 2), [0], [2]), t.ShapeError, ["slice", "[3, 2]"]],
  ["laxSlice with step 0", () => t.laxSlice(x(3), [0], [2], [0]), t.ShapeError, ["slice", "stride"]],
  ["flip of a wrong axis", () => t.flip(x(2), { axis: 1 }), t.ShapeError, ["flip", "axis 1", "1 dimension"]],
  [
    "pad of too few axes",
    () => t.pad(x(2, 2), 0, [[1, 1, 0]]),
    t.ShapeError,
    ["pad", "[2, 2]", "[low, high, interior]"],
  ],
  ["pad below nothing", () => t.pad(x(2), 0, [[-2, -1, 0]]), t.ShapeError, ["pad", "[-2, -1, 0]", "axis 0"]],
  ["pad with negative interior", () => t.pad(x(2), 0, [[0, 0, -1]]), t.ShapeError, ["pad", "interior"]],
  ["concatenate of nothing", () => t.concatenate([]), t.ShapeError, ["concatenate", "at least one", "empty list"]],
  [
    "concatenate of one array",
    () => t.concatenate(untyped(x(2))),
    t.ShapeError,
    ["concatenate", "list", "Tensor float32[2]"],
  ],
  ["concatenate of scalars", () => t.concatenate([x(), x()]), t.ShapeError, ["concatenate", "without axes", "stack"]],
  [
    "concatenate of shapes that differ",
    () => t.concatenate([x(2, 3), x(2, 4)]),
    t.ShapeError,
    ["concatenate", "[2, 3]", "[2, 4]", "axis 0"],
  ],
  ["concatenate along a wrong axis", () => t.concatenate([x(2)], { axis: 1 }), t.ShapeError, ["concatenate", "axis 1"]],
  ["stack of shapes that differ", () => t.stack([x(2), x(3)]), t.ShapeError, ["stack", "[2]", "[3]", "one shape"]],
  ["stack along a wrong axis", () => t.stack([x(2)], { axis: 2 }), t.ShapeError, ["stack", "axis 2"]],
  ["vstack of shapes that differ", () => t.vstack([x(2), x(3)]), t.ShapeError, ["vstack", "[1, 2]", "[1, 3]"]],
  ["split into unequal parts", () => t.split(x(5), 2), t.ShapeError, ["split", "[5]", "2 equal", "arraySplit"]],
  ["split into no parts", () => t.arraySplit(x(5), 0), t.ShapeError, ["arraySplit", "0", "≥ 1"]],
  ["split at a fraction", () => t.split(x(5), [1.5]), t.ShapeError, ["split", "1.5", "whole"]],
  ["split at places that do not ascend", () => t.split(x(5), [3, 1]), t.ShapeError, ["split", "[3, 1]", "ascend", "5"]],
  ["arraySplit at a negative place", () => t.arraySplit(x(5), [-1]), t.ShapeError, ["arraySplit", "[-1]", "ascend"]],
  ["arraySplit past the end", () => t.arraySplit(x(5), [7]), t.ShapeError, ["arraySplit", "[7]", "5"]],
  ["softmax of bools", () => t.softmax(bools()), t.DtypeError, ["softmax", "bool", "astype"]],
  ["oneHot of bools", () => t.oneHot(bools(), 2), t.DtypeError, ["oneHot", "bool"]],
  [
    "at with a mask and another number of values",
    () => t.at(x(3), t.array([true, false, true])).set(t.ones([3])),
    t.ShapeError,
    ["at.set", "[3]", "2 elements"],
  ],
  [
    "at with a mask that does not fit",
    () => t.at(x(3, 2), [0, t.array([true, false, true])]).get(),
    t.ShapeError,
    ["at.get", "[3]", "[2]"],
  ],
  ["split of a scalar", () => t.split(x(), 1), t.ShapeError, ["split", "axis 0", "0 dimensions"]],
  ["unstack of a scalar", () => t.unstack(x()), t.ShapeError, ["unstack", "axis 0"]],
  ["sum over a wrong axis", () => t.sum(x(2, 3), { axis: 2 }), t.ShapeError, ["sum", "axis 2", "2 dimensions"]],
  ["mean over an axis twice", () => t.mean(x(2, 3), { axis: [0, -2] }), t.ShapeError, ["mean", "[0, -2]", "twice"]],
  ["std over a wrong axis", () => t.std(x(2), { axis: 1 }), t.ShapeError, ["std", "axis 1"]],
  ["logsumexp over a wrong axis", () => t.logsumexp(x(2), { axis: 1 }), t.ShapeError, ["logsumexp", "axis 1"]],
  ["any over a fraction of an axis", () => t.any(x(2), { axis: 0.5 }), t.ShapeError, ["any", "axis 0.5"]],
  ["max of nothing", () => t.max(x(0)), t.ShapeError, ["max", "[0]", "no elements"]],
  ["min of nothing along an axis", () => t.min(x(2, 0), { axis: 1 }), t.ShapeError, ["min", "[2, 0]", "no elements"]],
  ["argmax of nothing", () => t.argmax(x(2, 0), { axis: 1 }), t.ShapeError, ["argmax", "axis 1", "[2, 0]"]],
  ["argmin over a wrong axis", () => t.argmin(x(2), { axis: 3 }), t.ShapeError, ["argmin", "axis 3"]],
  ["softmax of a scalar", () => t.softmax(1), t.ShapeError, ["softmax", "axis -1", "0 dimensions"]],
  ["logSoftmax over a wrong axis", () => t.logSoftmax(x(2), { axis: 1 }), t.ShapeError, ["logSoftmax", "axis 1"]],
  [
    "matmul of shapes that do not fit",
    () => t.matmul(x(32, 784), x(768, 10)),
    t.ShapeError,
    ["matmul", "[32, 784]", "[768, 10]", "784", "768"],
  ],
  ["matmul with a scalar", () => t.matmul(2, x(2, 2)), t.ShapeError, ["matmul", "[]", "[2, 2]", "mul"]],
  [
    "matmul of batches that do not broadcast",
    () => t.matmul(x(2, 3, 4), x(5, 4, 3)),
    t.ShapeError,
    ["matmul", "[2]", "[5]", "broadcast"],
  ],
  ["take by floats", () => t.take(x(2), x(2)), t.DtypeError, ["take", "float32", "int32", "astype"]],
  ["take along a wrong axis", () => t.take(x(2), t.array([0]), { axis: 1 }), t.ShapeError, ["take", "axis 1"]],
  ["take from nothing", () => t.take(x(0), t.array([0])), t.ShapeError, ["take", "[0]", "no elements"]],
  [
    "takeAlongAxis of another rank",
    () => t.takeAlongAxis(x(2, 2), t.array([0]), 0),
    t.ShapeError,
    ["takeAlongAxis", "[1]", "[2, 2]", "expandDims"],
  ],
  [
    "takeAlongAxis of shapes that do not broadcast",
    () => t.takeAlongAxis(x(2, 2), t.array([[0], [1], [0]]), 1),
    t.ShapeError,
    ["takeAlongAxis", "broadcast"],
  ],
  ["oneHot of a wrong axis", () => t.oneHot(t.array([0]), 3, { axis: 3 }), t.ShapeError, ["oneHot", "axis 3"]],
  ["oneHot of fewer than no classes", () => t.oneHot(t.array([0]), -1), t.ShapeError, ["oneHot", "-1"]],
  [
    "take by an unknown mode",
    () => t.take(x(2), t.array([0]), { mode: untyped("raise") }),
    t.ArgumentError,
    ["take", "raise", "fill", "clip", "wrap"],
  ],
  [
    "onesLike of an unknown dtype",
    () => t.onesLike(x(2), { dtype: untyped("int64") }),
    t.DtypeError,
    ["onesLike", "int64", "int32"],
  ],
  ["eye of an unknown dtype", () => t.eye(2, 2, { dtype: untyped("int64") }), t.DtypeError, ["eye", "int64"]],
  [
    "arange of an unknown dtype",
    () => t.arange(0, 2, 1, { dtype: untyped("int64") }),
    t.DtypeError,
    ["arange", "int64"],
  ],
  [
    "oneHot of an unknown dtype",
    () => t.oneHot(t.array([0]), 3, { dtype: untyped("int64") }),
    t.DtypeError,
    ["oneHot", "int64"],
  ],
  [
    "an option written as elsewhere",
    () => t.sum(x(2), untyped({ keepDims: true })),
    t.ArgumentError,
    ["sum", '"keepDims"', 'did you mean "keepdims"?'],
  ],
  [
    "an option in Python's case",
    () => t.random.uniform(t.random.key(0), [2], untyped({ min_val: 1 })),
    t.ArgumentError,
    ["random.uniform", '"min_val"', 'did you mean "minval"?'],
  ],
  [
    "an option of another function",
    () => t.concatenate([x(2)], untyped({ dim: 0 })),
    t.ArgumentError,
    ["concatenate", '"dim"', "there are axis, dtype"],
  ],
  ["an axis by position", () => t.sum(x(2, 3), untyped(1)), t.ArgumentError, ["sum", "{ axis: … }", "received 1"]],
  ["axes by position", () => t.max(x(2, 3), untyped([0, 1])), t.ArgumentError, ["max", "{ axis: … }", "a list"]],
  ["a mask by position", () => t.sum(x(2), untyped(bools())), t.ArgumentError, ["sum", "received a Tensor"]],
  ["null for options", () => t.softmax(x(2), untyped(null)), t.ArgumentError, ["softmax", "received null"]],
];

describe("misuse is refused at the call, by name", () => {
  useDevice();

  test.each(misuse)("%s", (_label, wrong, kind, words) => {
    let error: unknown;
    try {
      wrong();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(kind);
    const { message } = error as Error; // just checked
    for (const word of words) expect(message).toContain(word);
    expect(message).not.toContain("internal");
  });

  test("item of several elements", async () => {
    await expect(x(2).item()).rejects.toThrow(/item: .*\[2\].*toArray/);
  });
});
