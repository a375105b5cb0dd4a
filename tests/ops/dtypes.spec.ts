import { grad } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import { useDevice } from "@jnx/testing";
import { jnp, lax, nn, nnx, random, type DType, type Tensor, type TensorLike } from "jnx";
import { describe, expect, test } from "vitest";
import { readGoldens, type GoldenArray, type GoldenTree } from "../goldens/read.ts";

// The packed dtypes against the real JAX: tests/oracle/dtype_cases.py holds the same operands.

useDevice();

const VALUES = {
  float: [0.5, -1.25, 2, 0, -0, 0.1, 3, NaN, Infinity, -Infinity, 1000, -0.75, 1e-4],
  whole: [0, 1, 2, 3, 7, 100, 5, 12, 31, 64, 9],
};
const TIMES = { float: [1.5, 2, -0.5, 3, 1, 0.3, -2, 1, 2, 0, 0.25, 7, 2], whole: [1, 3, 0, 2, 7, 3, 9, 2, 4, 1, 8] };
const SIGNS = [1, -1, 1, 1, -1, -1, 1, -1, 1, 1, -1];
const MATRIX = [3, -1, 2, 0.5, 2, -4, 7, 1.1, 0, 2, 2, 5, -3, 6, 1];

interface Told {
  readonly dtype: DType;
  readonly value: GoldenArray;
}

function group(name: string): [string, Told][] {
  const found = readGoldens("dtypes")[name] as GoldenTree; // the file is ours, a group of cases under each name
  return Object.entries(found as unknown as Record<string, Told>); // as dtype_cases.py writes them
}

const isFloat = (dtype: string): boolean => dtype.includes("float");

function operand(dtype: DType, other = false): Tensor {
  const kind = isFloat(dtype) ? "float" : "whole";
  const values = (other ? TIMES : VALUES)[kind];
  const signed = dtype.startsWith("int") && !other ? values.map((x, k) => x * (SIGNS[k] ?? 1)) : values;
  return jnp.astype(jnp.array(signed, { dtype: isFloat(dtype) ? "float32" : "int32" }), dtype);
}

/** JAX rounds halves to even: 0.5 is 0. */
const even = (x: number): number => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

function matrix(dtype: DType): Tensor {
  const values = isFloat(dtype) ? MATRIX : MATRIX.map((x) => Math.abs(even(x)) * (dtype.startsWith("u") ? 3 : 1));
  return jnp.astype(jnp.array(new Float32Array(values), { shape: [5, 3] }), dtype);
}

/** Units in the last place between two numbers of a dtype, near 0 those of 2^-10. */
function distance(dtype: DType, got: number, want: number): number {
  if (Object.is(got, want) || got === want) return 0;
  if (!Number.isFinite(got) || !Number.isFinite(want) || !isFloat(dtype)) return Infinity;
  const eps = jnp.finfo(dtype).eps;
  const exponent = Math.max(-10, Math.floor(Math.log2(Math.max(Math.abs(got), Math.abs(want)))));
  return Math.abs(got - want) / (eps * 2 ** exponent);
}

async function compare(got: Tensor, { dtype, value }: Told, ulps: number): Promise<void> {
  expect(got.dtype).toBe(dtype);
  expect(got.shape).toEqual(value.shape);
  const data = Array.from(await got.data());
  const far = data.map((x, k) => distance(dtype, x, value.data[k] ?? NaN));
  const worst = Math.max(...far);
  expect(worst, `received ${data.join(" ")}, JAX has ${Array.from(value.data).join(" ")}`).toBeLessThanOrEqual(ulps);
}

type Functions = Record<string, (...args: TensorLike[]) => Tensor>;
// By name: each is a function of arrays.
const spaces: Record<string, Functions> = { lax, nn, jnp } as unknown as Record<string, Functions>;

function find(name: string): (...args: TensorLike[]) => Tensor {
  const [space, own] = name.includes(".") ? name.split(".") : ["jnp", name];
  const found = spaces[space ?? ""]?.[own ?? ""];
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

/** Functions of several steps, each of which rounds here and some of which JAX compiles into one. */
const STEPS =
  /gelu|silu|softmax|Softmax|standardize|hypot|logaddexp|floatPower|softplus|elu|expm1|sinh|logistic|sigmoid/;

const split = (name: string): [string, DType] => {
  const [fn = "", dtype = ""] = name.split(" ");
  return [fn, dtype as DType]; // the file names dtypes
};

describe("promotion", () => {
  const table = Object.entries(readGoldens("dtypes")["promotion"] as GoldenTree); // rows of text
  const source = (kind: string): TensorLike =>
    kind === "int32*" ? 2 : kind === "float32*" ? 2.5 : jnp.zeros([1], { dtype: kind as DType }); // the file's kinds
  test.each(table)("%s with every other", (kind, row) => {
    const kinds = table.map(([name]) => name);
    const wanted = String(row).split(" ");
    kinds.forEach((other, k) => {
      const { dtype, weak } = jnp.maximum(source(kind), source(other));
      expect(dtype + (weak ? "*" : ""), `${kind} with ${other}`).toBe(wanted[k]);
      expect(jnp.resultType(source(kind), source(other))).toBe(dtype);
    });
  });

  test("limits of dtypes", () => {
    expect(jnp.finfo("float16")).toMatchObject({ bits: 16, eps: 2 ** -10, max: 65504, tiny: 2 ** -14 });
    expect(jnp.finfo("bfloat16")).toMatchObject({
      eps: 2 ** -7,
      max: 3.3895313892515355e38,
      smallestSubnormal: 2 ** -133,
    });
    expect(jnp.finfo(jnp.ones([1])).max).toBe(3.4028234663852886e38);
    expect(jnp.iinfo("int16")).toEqual({ dtype: "int16", bits: 16, min: -32768, max: 32767 });
    expect(jnp.iinfo("uint8").max).toBe(255);
    expect(() => jnp.finfo("int8")).toThrow(/finfo: needs a float dtype, received int8/);
    expect(() => jnp.iinfo("bfloat16")).toThrow(/iinfo: needs an integer dtype, received bfloat16/);
    expect(jnp.promoteTypes("uint16", "int8")).toBe("int32");
  });
});

describe("what dtypes hold", () => {
  const dtypes = "float32 int32 uint32 bool float16 bfloat16 int16 uint16 int8 uint8".split(" ") as DType[]; // binning_cases.DTYPES
  const golden = (name: string): number[] => {
    const { data } = readGoldens("casts")[name] as GoldenArray; // an int32 matrix
    return Array.from(data);
  };
  const table = <T>(columns: readonly T[], asked: (dtype: DType, column: T) => boolean): number[] =>
    dtypes.flatMap((dtype) => columns.map((column) => Number(asked(dtype, column))));

  test.each(["no", "equiv", "safe", "same_kind", "unsafe"] as const)("canCast, %s", (rule) => {
    expect(table(dtypes, (from, to) => jnp.canCast(from, to, rule))).toEqual(golden(rule));
  });

  test("issubdtype and isdtype", () => {
    const classes = [
      "generic",
      "number",
      "integer",
      "signedinteger",
      "unsignedinteger",
      "inexact",
      "floating",
      "complexfloating",
    ] as const;
    const kinds = [
      "bool",
      "signed integer",
      "unsigned integer",
      "integral",
      "real floating",
      "complex floating",
      "numeric",
    ] as const;
    expect(table(classes, jnp.issubdtype)).toEqual(golden("issubdtype"));
    expect(table(kinds, jnp.isdtype)).toEqual(golden("isdtype"));
    expect(jnp.issubdtype("int8", "int8")).toBe(true);
    expect(jnp.issubdtype("int8", "int16")).toBe(false);
    expect(jnp.isdtype("uint8", ["int8", "real floating"])).toBe(false);
    expect(jnp.isdtype("uint8", ["int8", "uint8"])).toBe(true);
  });

  test("arrays, too, and mistakes by name", () => {
    const wrong = (text: string): never => text as never; // what TypeScript would refuse
    expect(jnp.canCast(jnp.ones([2], { dtype: "int8" }), "float16")).toBe(true);
    expect(() => jnp.canCast("int8", "int16", wrong("sage"))).toThrow(/unknown rule "sage"; expected one of no, equiv/);
    expect(() => jnp.canCast("int8", wrong("int64"))).toThrow(/canCast: unknown dtype "int64"/);
    expect(() => jnp.isdtype("int8", wrong("floating"))).toThrow(/isdtype: "floating" is neither a dtype nor a kind/);
    expect(() => jnp.issubdtype("int8", wrong("numeric"))).toThrow(/issubdtype: "numeric" is neither a dtype nor/);
  });
});

describe("host arrays", () => {
  test("typed arrays keep their dtype, and data() gives it back", async () => {
    for (const data of [
      new Int8Array([-1, 2, 3]),
      new Uint16Array([65535, 1]),
      new Int16Array([-5]),
      new Uint8Array(5),
    ])
      expect(await jnp.array(data).data()).toEqual(data);
  });

  test("numbers are rounded once and to even, whole numbers wrap", async () => {
    // 2049 lies between 2048 and 2050; as a float32, 2049 + 2^-20 would too.
    const half = jnp.array([2049, 2051, 2049 + 2 ** -20, 65519.999999, 65520, 2 ** -25, 3 * 2 ** -25, -0], {
      dtype: "float16",
    });
    expect(Array.from(await half.data())).toEqual([2048, 2052, 2050, 65504, Infinity, 0, 2 ** -23, -0]);
    expect(half.nbytes).toBe(16);
    const brain = jnp.array([257, 259, 257 + 2 ** -20, 3.4e38], { dtype: "bfloat16" });
    expect(Array.from(await brain.data())).toEqual([256, 260, 258, Infinity]);
    expect(Array.from(await jnp.array([300, -129, 5], { dtype: "int8" }).data())).toEqual([44, 127, 5]);
  });

  test.each(["float16", "bfloat16", "int8", "uint16"] as const)("views of %s at odd offsets", async (dtype) => {
    const x = jnp.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14], { dtype });
    const part = jnp.reshape(lax.slice(x, [3], [15]), [3, 4]);
    const view = lax.slice(jnp.transpose(part), [1, 0], [4, 3]);
    expect(await view.toArray()).toEqual([
      [4, 8, 12],
      [5, 9, 13],
      [6, 10, 14],
    ]);
    expect(await jnp.add(view, view).toArray()).toEqual([
      [8, 16, 24],
      [10, 18, 26],
      [12, 20, 28],
    ]);
    expect(await jnp.zeros([0, 3], { dtype }).toArray()).toEqual([]);
    expect(await jnp.multiply(x, x).at(-4).get().item()).toBe(121);
  });
});

describe("bits", () => {
  test("bitcastConvertType between all widths", async () => {
    const read = async (x: Tensor, dtype: DType): Promise<unknown> => lax.bitcastConvertType(x, dtype).toArray();
    expect(await read(jnp.array([1, 2], { dtype: "float16" }), "uint16")).toEqual([15360, 16384]);
    expect(await read(jnp.array([1, 2], { dtype: "float32" }), "uint16")).toEqual([
      [0, 16256],
      [0, 16384],
    ]);
    expect(await read(jnp.array([[1, 2, 3, 4]], { dtype: "uint8" }), "int32")).toEqual([67305985]);
    expect(await read(jnp.array([-1.5], { dtype: "bfloat16" }), "int16")).toEqual([-16448]);
    expect(await read(jnp.array([-2], { dtype: "int8" }), "uint8")).toEqual([254]);
    expect(() => lax.bitcastConvertType(jnp.array([1, 2, 3], { dtype: "int8" }), "float32")).toThrow(/must have 4/);
  });
});

describe("casts", () => {
  const floats = [NaN, Infinity, -Infinity, 300.7, -300.7, -1.5, 1e9, -1e9, 5e9, 70000, 65519.9, 65520, 6e-8, 2e-5];
  const whole = [-1, 300, -300, 70000, -70000, 2147483647, -2147483648, 16777217, 65519];
  const sources: Record<string, Tensor> = {};
  test.each(group("casts"))("%s", async (name, told) => {
    sources["float32"] ??= jnp.array(new Float32Array([...floats, 1.00390625]));
    sources["int32"] ??= jnp.array(new Int32Array(whole));
    const [source = "", ...via] = name.split(" ");
    const start = sources[source];
    if (start === undefined) throw new Error(source);
    await compare(
      via.reduce((x, dtype) => jnp.astype(x, dtype as DType), start), // the file names dtypes
      told,
      0,
    );
  });
});

describe("functions of one array", () => {
  test.each(group("unary"))("%s", async (name, told) => {
    const [fn, dtype] = split(name);
    await compare(find(fn)(operand(dtype)), told, STEPS.test(fn) ? 4 : 1);
  });
});

describe("functions of two arrays", () => {
  test.each(group("binary"))("%s", async (name, told) => {
    const [fn, dtype] = split(name);
    await compare(find(fn)(operand(dtype), operand(dtype, true)), told, STEPS.test(fn) ? 4 : 1);
  });
});

const AXIS =
  "sum prod max min mean var std any all argmax argmin cumsum cumprod median ptp nansum countNonzero average";
const BIG: Record<string, () => Tensor> = {
  "bigMean float16": () => jnp.mean(jnp.full([300, 300], 7, { dtype: "float16" })),
  "bigSum float16": () => jnp.sum(jnp.add(jnp.zeros([3000], { dtype: "float16" }), 1.001)),
  "bigSum bfloat16": () => jnp.sum(jnp.add(jnp.zeros([3000], { dtype: "bfloat16" }), 1.001)),
};

describe("reductions", () => {
  test.each(group("reduce"))("%s", async (name, told) => {
    const [fn, dtype] = split(name);
    const big = BIG[name];
    if (big !== undefined) return compare(big(), told, 1);
    const axis = AXIS.split(" ").indexOf(fn) % 2;
    // Options come last in every reduction.
    const reduce = find(fn) as unknown as (x: Tensor, options: { axis: number }) => Tensor;
    await compare(reduce(matrix(dtype), { axis }), told, /cum|std|var/.test(fn) ? 2 : 1);
  });
});

const MOVE: Record<string, (x: Tensor) => Tensor> = {
  transpose: (x) => jnp.transpose(x),
  reverse: (x) => jnp.flip(x, { axis: 1 }),
  slice: (x) => lax.slice(x, [1, 1], [4, 3]),
  concatenate: (x) => jnp.concatenate([x, x], { axis: 1 }),
  pad: (x) => jnp.pad(x, 1),
  sort: (x) => jnp.sort(x, { axis: 0 }),
  argsort: (x) => jnp.argsort(x, { axis: 0 }),
  take: (x) => jnp.take(x, jnp.array([1, 9, -1]), { axis: 0 }),
  roll: (x) => jnp.roll(x, 1, { axis: 1 }),
  where: (x) => jnp.where(jnp.greater(x, 2), x, 1),
  clip: (x) => jnp.clip(x, 1, 5),
  matmul: (x) => jnp.matmul(jnp.transpose(x), x),
  outer: (x) => jnp.outer(x.at(0).get(), x.at(1).get()),
  broadcast: (x) => jnp.add(x, x.at(0).get()),
  topK: (x) => lax.topK(jnp.transpose(x), 2)[0],
  scatter: (x) => x.at(jnp.array([0, 2])).add(lax.slice(x, [0, 0], [2, 3])),
  tril: (x) => jnp.tril(x),
  maxPool: (x) => lax.reduceWindow(x, 0, lax.add, [2, 2], [1, 1]),
  oneHot: (x) => nn.oneHot(jnp.array([0, 2]), 3, { dtype: x.dtype }),
  conv: (x) =>
    lax.conv(jnp.reshape(x, [1, 1, 5, 3]), jnp.reshape(lax.slice(x, [0, 0], [2, 2]), [1, 1, 2, 2]), [1, 1], "SAME"),
};

describe("movement, indexing, products", () => {
  test.each(group("move"))("%s", async (name, told) => {
    const [fn, dtype] = split(name);
    const run = MOVE[fn];
    if (run === undefined) throw new Error(`no ${fn}`);
    await compare(run(matrix(dtype)), told, 1);
  });

  test.each(["float16", "bfloat16", "int8", "uint16"] as const)("compiled as eager: %s", async (dtype) => {
    const step = (x: Tensor): Tensor[] => {
      const y = jnp.add(jnp.matmul(x, jnp.transpose(x)), 1);
      const total = jnp.sum(y, { axis: 1 });
      return [
        y,
        jnp.multiply(total, 2),
        jnp.astype(jnp.flip(y, { axis: 0 }), "float32"),
        jnp.sort(y),
        jnp.cumsum(y, { axis: 0 }),
      ];
    };
    const [eager, compiled] = [step(matrix(dtype)), jit(step)(matrix(dtype))];
    for (const [k, want] of eager.entries()) {
      expect(compiled[k]?.dtype).toBe(want.dtype);
      expect(await compiled[k]?.data()).toEqual(await want.data());
    }
  });
});

test.each(["float16", "int8"] as const)("scan over rows of %s that fill no word", async (dtype) => {
  const xs = jnp.array([1, 2, 3, 4, 5, 6, 7, 8, 9], { dtype });
  const run = (x: Tensor): [Tensor, Tensor] =>
    lax.scan(
      (c: Tensor, row: Tensor) => [jnp.add(c, row), jnp.multiply(row, 2)],
      jnp.zeros([3], { dtype }),
      jnp.reshape(x, [3, 3]),
    ) as [Tensor, Tensor]; // a carry and a stack
  for (const [sum, doubled] of [run(xs), jit(run)(xs)]) {
    expect(await sum.toArray()).toEqual([12, 15, 18]);
    expect(await jnp.add(doubled, 0).toArray()).toEqual([
      [2, 4, 6],
      [8, 10, 12],
      [14, 16, 18],
    ]);
  }
});

describe("gradients", () => {
  test.each(group("grads"))("%s", async (name, told) => {
    const [fn, dtype] = split(name);
    if (fn === "matmul") {
      const w = jnp.transpose(matrix(dtype));
      return compare(grad((v: Tensor) => jnp.sum(jnp.square(jnp.matmul(v, w))))(matrix(dtype)), told, 2);
    }
    const scale = jnp.array([1, 2, -1, 0.5, 3], { dtype });
    const f = (v: Tensor): Tensor => jnp.sum(jnp.multiply(find(fn)(v), scale));
    await compare(grad(f)(jnp.array([0.5, 1.25, 2, 0.1, 3], { dtype })), told, STEPS.test(fn) ? 16 : 4);
  });
});

describe("draws and layers", () => {
  const run = (fn: string, dtype: "float16" | "bfloat16", key: Tensor): Tensor => {
    if (fn === "uniform") return random.uniform(key, [65], { dtype });
    if (fn === "uniformBetween") return random.uniform(key, [65], { dtype, minval: -2, maxval: 3 });
    if (fn === "normal") return random.normal(key, [65], { dtype });
    if (fn === "truncatedNormal") return random.truncatedNormal(key, -2, 2, [65], { dtype });
    const { lecunNormal, glorotUniform, heNormal } = nnx.initializers;
    const make = fn === "lecunNormal" ? lecunNormal : fn === "heNormal" ? heNormal : glorotUniform;
    return make()(key, [5, 7], dtype);
  };
  test.each(group("draws"))("%s", async (name, told) => {
    const parts = name.split(" ");
    const dtype = parts.at(-1) === "float16" ? "float16" : "bfloat16";
    if (parts[0] !== "linear")
      return compare(run(parts[0] ?? "", dtype, random.key(7)), told, /ormal/.test(name) ? 1 : 0);
    const options = Object.fromEntries((parts[1] ?? "").split("+").map((option) => [option, dtype]));
    const layer = new nnx.Linear(5, 3, { rngs: new nnx.Rngs(3), ...options });
    await compare(layer.call(jnp.transpose(matrix("float32"))), told, 1);
  });
});
