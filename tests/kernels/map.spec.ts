import { useDevice } from "@jnx/testing";
import type { LinkedKernel } from "@jnx/kernels-wgsl";
import { executor } from "@jnx/tensor";
import type { DType, Shape } from "@jnx/tensor";
import { contiguousView, lowerMap, sizeOf, transposeView, widthOf } from "@jnx/tensor/internal";
import type { DeviceBuffer, Expr, Output, View } from "@jnx/tensor/internal";
import { describe, expect, test } from "vitest";
import { collapse } from "../../packages/tensor/src/lower/space.ts";
import { add, apply, iota, less, literal, load, mul, output, pick, toInt, triple } from "./map-ops.ts";
import type { TestOp } from "./map-ops.ts";
import { difference, floats, ints } from "./run-stages.ts";

useDevice();

/** Elements in a test's buffers, and words past each result that nothing may write. */
const ROOM = 512;
const GUARD = 8;

/** What operand `slot` holds: small whole numbers, so that everything is exact. */
function stored(slot: number, dtype: DType): number[] {
  return Array.from({ length: ROOM }, (_, i) =>
    dtype === "bool" ? ((i * (slot + 3)) >> 1) & 1 : ((i * (7 + 2 * slot)) % 101) - 40,
  );
}

function position(view: View, shape: Shape, flat: number): number {
  let [at, rest] = [view.offset, flat];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis] ?? 1;
    at += (rest % extent) * (view.strides[axis] ?? 0);
    rest = Math.floor(rest / extent);
  }
  return at;
}

/** An expression at one position, in JavaScript. */
function interpret(expr: Expr, shape: Shape, flat: number): number {
  if (expr.kind === "literal") return expr.value;
  if (expr.kind === "load") return stored(expr.slot, expr.dtype)[position(expr.view, shape, flat)] ?? Number.NaN;
  if (expr.kind !== "map") return Number.NaN;
  const args = expr.args.map((arg) => interpret(arg, shape, flat));
  // Every op in these tests is one of map-ops.ts.
  return (expr.op as TestOp).host(args, position(expr.view, shape, flat));
}

function loadsOf(expr: Expr): { slot: number; dtype: DType }[] {
  if (expr.kind === "load") return [expr];
  return expr.kind === "map" ? expr.args.flatMap(loadsOf) : [];
}

function words(values: readonly number[], dtype: DType): Float32Array | Int32Array {
  return dtype === "float32" ? new Float32Array(values) : new Int32Array(values);
}

/** Runs the outputs as one dispatch; the first word that differs from the interpreter's, and the kernel. */
async function check(
  shape: Shape,
  outputs: readonly Output[],
  limit?: number,
): Promise<[string | undefined, LinkedKernel]> {
  const device = executor();
  const limits = { ...device.limits, ...(limit === undefined ? {} : { maxComputeWorkgroupsPerDimension: limit }) };
  const { label, kernel, slots, uniforms, grid } = lowerMap("test", shape, outputs, limits);
  const buffers = new Map<number, DeviceBuffer>();
  const fill = (slot: number, dtype: DType): void => {
    if (buffers.has(slot)) return;
    const buffer = device.allocate(ROOM * 4, "test");
    device.write(buffer, words(stored(slot, dtype), dtype));
    buffers.set(slot, buffer);
  };
  for (const { expr } of outputs) for (const { slot, dtype } of loadsOf(expr)) fill(slot, dtype);
  for (const { slot, dtype } of outputs) fill(slot, dtype);
  const bound = slots.map((slot) => buffers.get(slot)).filter((buffer) => buffer !== undefined);
  device.run({ label, kernel, buffers: bound, uniforms, grid });
  let wrong: string | undefined;
  for (const { slot, dtype, expr } of outputs) {
    const buffer = buffers.get(slot);
    if (buffer === undefined) continue;
    const elements = sizeOf(shape);
    const bits = new Uint32Array(await device.read(buffer, (elements + GUARD) * 4));
    const want = Array.from({ length: elements }, (_, flat) => interpret(expr, shape, flat));
    const got = dtype === "float32" ? floats(bits) : ints(bits);
    wrong ??= difference(got, [...want, ...stored(slot, dtype).slice(elements, elements + GUARD)]);
  }
  for (const buffer of buffers.values()) device.release(buffer);
  return [wrong, kernel];
}

const view = (shape: Shape, strides: readonly number[], offset = 0): View => ({ shape, strides, offset });
const width = ({ code }: LinkedKernel): number => (code.includes("alias F = vec4f;") ? 4 : 1);

/** Each operand's strides and offset under one shape: what is read how, and how wide. */
const layouts: readonly (readonly [label: string, shape: Shape, operands: readonly View[], width: number])[] = [
  ["flat", [4, 6], [view([4, 6], [6, 1]), view([4, 6], [6, 1])], 4],
  ["flat but not in fours", [5, 3], [view([5, 3], [3, 1])], 1],
  ["a scalar array", [], [view([], [])], 1],
  ["an element for all", [3, 8], [view([3, 8], [8, 1]), view([3, 8], [0, 0], 5)], 4],
  ["a row for all rows", [3, 8], [view([3, 8], [8, 1]), view([3, 8], [0, 1])], 4],
  ["a row for all rows, from an odd place", [3, 8], [view([3, 8], [8, 1]), view([3, 8], [0, 1], 3)], 1],
  ["a row of six for all rows", [4, 6], [view([4, 6], [6, 1]), view([4, 6], [0, 1])], 1],
  ["a column for all columns", [6, 8], [view([6, 8], [8, 1]), view([6, 8], [1, 0])], 4],
  ["a column for three columns", [8, 3], [view([8, 3], [3, 1]), view([8, 3], [1, 0])], 1],
  ["transposed", [8, 4], [view([8, 4], [1, 8]), view([8, 4], [4, 1])], 1],
  ["rows of a wider array", [3, 8], [view([3, 8], [12, 1], 4)], 4],
  ["rows of a wider array, from an odd place", [3, 8], [view([3, 8], [12, 1], 5)], 1],
  ["rows of an array of odd width", [3, 8], [view([3, 8], [13, 1], 4)], 1],
  ["every second element", [3, 8], [view([3, 8], [16, 2])], 1],
  ["backwards", [3, 8], [view([3, 8], [8, -1], 7)], 1],
  ["rows backwards", [3, 8], [view([3, 8], [-8, 1], 16), view([3, 8], [8, 1])], 4],
  ["axes of one element between", [3, 1, 8], [view([3, 1, 8], [8, 77, 1]), view([3, 1, 8], [1, 5, 0])], 4],
  [
    "four axes, each operand broadcast elsewhere",
    [2, 3, 4, 8],
    [view([2, 3, 4, 8], [32, 0, 8, 1]), view([2, 3, 4, 8], [0, 8, 0, 1])],
    4,
  ],
  [
    "four axes in a new order",
    [2, 3, 4, 5],
    [view([2, 3, 4, 5], [1, 40, 2, 8]), view([2, 3, 4, 5], [60, 20, 5, 1])],
    1,
  ],
];

describe("operands as they lie", () => {
  test.each(layouts)("%s", async (_, shape, views, wide) => {
    const [first, ...rest] = views.map((one, slot): Expr => load(slot + 1, one));
    if (first === undefined) throw new Error("no operand");
    const sum = rest.reduce((a, b, k) => apply(add, [mulBy(k + 2, a, shape), b], contiguousView(shape)), first);
    const expr = apply(triple, [sum], contiguousView(shape));
    expect(widthOf(shape, [expr])).toBe(wide);
    const [wrong, kernel] = await check(shape, [output(0, expr)]);
    expect(wrong).toBeUndefined();
    expect(width(kernel)).toBe(wide);
  });
});

function mulBy(factor: number, expr: Expr, shape: Shape): Expr {
  return apply(mul, [expr, literal(factor)], contiguousView(shape));
}

describe("expressions", () => {
  const shape = [6, 8];
  const flat = contiguousView(shape);
  const x = load(1, flat);
  const row = load(2, view(shape, [0, 1]));

  test("several outputs of several dtypes share what they have in common", async () => {
    const sum = apply(add, [x, row], flat);
    const [wrong, kernel] = await check(shape, [
      output(5, sum),
      output(6, apply(toInt, [apply(triple, [sum], flat)], flat, "int32")),
      output(7, apply(less, [sum, literal(4)], flat, "bool")),
      output(8, apply(pick, [apply(less, [x, row], flat, "bool"), sum, literal(-1)], flat)),
    ]);
    expect(wrong).toBeUndefined();
    expect(kernel.code.match(/x0\[/g)).toHaveLength(1);
    expect(kernel.bindings.map(({ name }) => name)).toEqual(["p", "h", "x0", "x1", "y0", "y1", "y2", "y3"]);
  });

  test("bools are read and written as 0 and 1, literal ones are no operands", async () => {
    const mask = load(3, flat, "bool");
    const either = apply(pick, [mask, x, row], flat);
    const [wrong] = await check(shape, [
      output(5, either),
      output(6, mask),
      output(7, apply(pick, [literal(1, "bool"), x, row], flat)),
      output(8, literal(7, "int32")),
    ]);
    expect(wrong).toBeUndefined();
  });

  test("an operand that is also the result is bound once", async () => {
    const [wrong, kernel] = await check(shape, [output(1, apply(add, [apply(triple, [x], flat), row], flat))]);
    expect(wrong).toBeUndefined();
    expect(kernel.bindings.map(({ name }) => name)).toEqual(["p", "h", "x0", "y0"]);
  });

  test("an operand twice: as it is, and another way", async () => {
    const square = [8, 8];
    const [straight, turned] = [contiguousView(square), view(square, [1, 8])];
    const [wrong, kernel] = await check(square, [
      output(0, apply(add, [load(1, straight), mulBy(2, load(1, turned), square)], straight)),
    ]);
    expect(wrong).toBeUndefined();
    expect(kernel.bindings.map(({ name }) => name)).toEqual(["p", "h", "x0", "y0"]);
  });

  test("an operand twice, in vec4s and in scalars", async () => {
    const [wrong, kernel] = await check(shape, [
      output(0, apply(add, [x, mulBy(2, load(1, view(shape, [1, 0])), shape)], flat)),
    ]);
    expect(wrong).toBeUndefined();
    expect(width(kernel)).toBe(4);
  });

  test("equal texts for other shapes and other constants", () => {
    const text = (rows: number, factor: number): string => {
      const shape = [rows, 8];
      const expr = apply(
        add,
        [mulBy(factor, load(1, contiguousView(shape)), shape), load(2, view(shape, [0, 1]))],
        contiguousView(shape),
      );
      return lowerMap("test", shape, [output(0, expr)], executor().limits).kernel.code;
    };
    expect(text(5, 2)).toBe(text(9, 3));
  });
});

describe("generators", () => {
  test.each<[string, Shape, View, Expr[], number]>([
    ["flat, alone", [24], contiguousView([24]), [], 4],
    ["not in fours", [5, 3], contiguousView([5, 3]), [], 1],
    ["transposed, beside a flat operand", [8, 4], view([8, 4], [1, 8]), [load(1, contiguousView([8, 4]))], 4],
    [
      "transposed, rows of six: lanes from two rows",
      [2, 6],
      view([2, 6], [1, 2]),
      [load(1, contiguousView([2, 6]))],
      4,
    ],
    [
      "the same beside an operand from a later place",
      [2, 6],
      view([2, 6], [1, 2]),
      [load(1, contiguousView([2, 6])), load(2, view([2, 6], [6, 1], 4))],
      4,
    ],
    [
      "the same beside one element",
      [2, 6],
      view([2, 6], [1, 2]),
      [load(1, contiguousView([2, 6])), load(2, view([2, 6], [0, 0], 9))],
      4,
    ],
    ["a row for all, from a later place", [6, 8], view([6, 8], [0, 1], 3), [load(1, contiguousView([6, 8]))], 4],
    ["backwards", [6, 8], view([6, 8], [-8, -1], 47), [load(1, contiguousView([6, 8]))], 4],
    [
      "three axes in a new order",
      [3, 4, 5],
      transposeView(contiguousView([5, 4, 3]), [2, 1, 0]),
      [load(1, contiguousView([3, 4, 5]))],
      4,
    ],
  ])("%s", async (_, shape, own, operands, wide) => {
    const flat = contiguousView(shape);
    const sum = operands.reduce((a, b) => apply(add, [apply(triple, [a], flat), b], flat), apply(iota, [], own));
    const [wrong, kernel] = await check(shape, [output(0, sum)]);
    expect(wrong).toBeUndefined();
    expect(width(kernel)).toBe(wide);
  });
});

describe("collapse", () => {
  test.each<[string, Shape, number[][], number[], number[][]]>([
    ["contiguous axes become one", [2, 3, 4], [[12, 4, 1]], [24], [[1]]],
    ["axes of one element go", [2, 1, 4], [[4, 99, 1]], [8], [[1]]],
    [
      "a broadcast row keeps its axis",
      [2, 3, 4],
      [
        [12, 4, 1],
        [0, 4, 1],
      ],
      [2, 12],
      [
        [12, 1],
        [0, 1],
      ],
    ],
    ["broadcast axes become one", [2, 3, 4], [[0, 0, 1]], [6, 4], [[0, 1]]],
    [
      "one operand that does not merge stops all",
      [2, 3],
      [
        [3, 1],
        [1, 2],
      ],
      [2, 3],
      [
        [3, 1],
        [1, 2],
      ],
    ],
    ["nothing is left of a scalar", [], [[]], [], [[]]],
    ["nothing is left of one element", [1, 1], [[5, 1]], [], [[]]],
    ["backwards axes merge too", [2, 3], [[-3, -1]], [6], [[-1]]],
  ])("%s", (_, shape, strides, dims, merged) => {
    const views = strides.map((own) => view(shape, own));
    expect(collapse(shape, views)).toMatchObject({ dims, strides: merged });
  });
});

describe("grids", () => {
  test.each([5, 7])("fold at %i groups", async (limit) => {
    const shape = [3, 167];
    const flat = contiguousView(shape);
    expect((await check(shape, [output(0, apply(triple, [load(1, flat)], flat))], limit))[0]).toBeUndefined();
  });

  test("more than 65,535 groups", async () => {
    const device = executor();
    // What a group covers is the lowering's choice, per device: see lower/lower.ts.
    const n = 65_535 * (device.limits.sequential === true ? 1024 : 512) + 3;
    const flat = contiguousView([n]);
    const expr = apply(
      toInt,
      [apply(add, [apply(iota, [], { shape: [n], strides: [0], offset: 5 }), load(1, view([n], [0]))], flat)],
      flat,
      "int32",
    );
    const { label, kernel, slots, uniforms, grid } = lowerMap("test", [n], [output(0, expr)], device.limits);
    expect(grid[1]).toBeGreaterThan(1);
    const [y, x] = [device.allocate((n + 1) * 4, "test"), device.allocate(16, "test")];
    device.write(x, new Float32Array([37]));
    device.run({ label, kernel, buffers: slots.map((slot) => (slot === 0 ? y : x)), uniforms, grid });
    const result = new Int32Array(await device.read(y, n * 4));
    expect(result.findIndex((value) => value !== 42)).toBe(-1);
    device.release(y);
    device.release(x);
  });
});
