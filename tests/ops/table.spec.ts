import { rows, shapedOperands, shapedTensors, specialOperands, toTensor, type Row } from "@jnx/testing";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { literal, withLevel, type AnyOp, type Level } from "@jnx/tensor/internal";
import { expect, test } from "vitest";
import { readGoldens } from "../goldens/read.ts";

/** Exports that are functions but not ops on arrays. */
const OTHERS = [
  "promote",
  "promoteTypes",
  "resultType",
  "finfo",
  "iinfo",
  // tests/ops/dtypes.spec.ts
  "canCast",
  "isdtype",
  "issubdtype",
  "counters",
  "executor",
  "hasExecutor",
  "memory",
  // tests/transforms/debug-nans.spec.ts
  "blockUntilReady",
  "defaultBackend",
  "deviceGet",
  // tests/ops/trees.spec.ts
  "devicePut",
  // tests/transforms/debug-callback.spec.ts
  "effectsBarrier",
  // where and nonzero: tests/ops/structural.spec.ts
  "whereOrPlaces",
  // x itself
  "nnIdentity",
  // tests/random/bit-generator.spec.ts
  "rngBitGenerator",
  "devices",
  "setExecutor",
  "webgpuExecutor",
  // tests/device/gpu-buffers.spec.ts
  "fromGPUBuffer",
  "toGPUBuffer",
  "einsumPath",
  "broadcastShapes",
  // tests/ops/lax.spec.ts
  "padtypeToPads",
  // Numbers, shapes and bools of what is asked: tests/ops/numpy.spec.ts.
  "iscomplexobj",
  "isrealobj",
  "isscalar",
  "ndim",
  "shape",
  "size",
  // Of draws, with them: tests/random/gradients.spec.ts.
  "randomGammaGrad",
];

const isOp = ([name, value]: [string, unknown]): boolean =>
  typeof value === "function" && /^[a-z]/.test(name) && !OTHERS.includes(name);
const functions = Object.entries({ ...t, ...t.scipyLinalg, ...t.laxLinalg, ...t.linalg })
  .filter(isOp)
  .map(([name]) => name);

/** Sees every op and runs none: results are zeros of the right shape. */
class Spy implements Level {
  readonly name = "spy";
  readonly seen: AnyOp[] = [];
  claims(): boolean {
    return true;
  }
  process(op: AnyOp, inputs: readonly Tensor[], attrs: unknown): Tensor {
    this.seen.push(op);
    const { shape, dtype, weak } = op.infer(inputs, attrs);
    return literal(0, shape, dtype, weak);
  }
}

/** Ops of no operands never meet a batch. */
function takesOperandsByIndex(op: AnyOp): boolean {
  return op.kind === "map" && op.indexed === true && op.name !== "iota";
}

function opsOf(row: Row): readonly AnyOp[] {
  const spy = new Spy();
  for (const dtype of row.dtypes) {
    const operands =
      row.kind === "map"
        ? specialOperands(row, dtype).map((one) => toTensor(one, dtype))
        : shapedTensors(row, dtype, shapedOperands(row, dtype));
    withLevel(spy, () => row.run(...operands));
  }
  return spy.seen;
}

test("every public function has a row in the table", () => {
  const tabled = new Set(rows.map((row) => row.name));
  expect(functions.filter((name) => !tabled.has(name))).toEqual([]);
});

test("every function of jax.scipy.stats has goldens: values, gradients and the same compiled, in structural.spec.ts", () => {
  const goldens = ["distributions", "laterstats"].flatMap((family) =>
    Object.values(readGoldens(`structural-${family}`)),
  );
  const held = new Set(goldens.map((one) => (typeof one === "object" && "fn" in one ? String(one["fn"]) : "")));
  const names = Object.entries(t.scipyStats).flatMap(([space, one]) =>
    typeof one === "function" ? [`stats.${space}`] : Object.keys(one).map((name) => `stats.${space}.${name}`),
  );
  expect(names.length).toBeGreaterThan(100);
  expect(names.filter((name) => name !== "stats.GaussianKde" && !held.has(name))).toEqual([]);
});

test("every row is of a public function, and no two have one label and dtype list", () => {
  expect(rows.filter((row) => !functions.includes(row.name)).map((row) => row.name)).toEqual([]);
  const labels = rows.map((row) => `${row.label} ${row.dtypes.join()} ${row.kind === "map" ? row.arity : ""}`);
  expect(labels.filter((label, k) => labels.indexOf(label) !== k)).toEqual([]);
});

test("every op record says how to go back through it, or that there is no way", () => {
  const records = new Set(rows.flatMap(opsOf));
  expect(records.size).toBeGreaterThan(60);
  const silent = [...records].filter((op) => typeof op.vjp !== "function" && op.vjp !== "nondifferentiable");
  expect(silent.map((op) => op.name)).toEqual([]);
});

test("every op record says how a batch of it runs, and can be moved along a tangent if it can be gone back through", () => {
  const records = [...new Set(rows.flatMap(opsOf))];
  // A map without a rule broadcasts, which one that counts its own elements must not do.
  const silent = records.filter((op) => op.batch === undefined && (op.kind !== "map" || takesOperandsByIndex(op)));
  expect(silent.map((op) => op.name)).toEqual([]);
  const oneWay = records.filter((op) => op.vjp === "nondifferentiable" && op.jvp !== undefined);
  expect(oneWay.map((op) => op.name)).toEqual([]);
});

test("functions with a derivative are checked by differences in some row", () => {
  const records = Object.entries(t).flatMap(([name, value]) =>
    typeof value === "function" && "op" in value ? [[name, value.op] as const] : [],
  );
  // Their derivative is zero, or undefined on purpose.
  const flat = ["sign", "floor", "ceil", "round", "trunc", "rint", "roundAway", "floorDivide", "heaviside"];
  const smooth = records
    .filter(([name, op]) => op.vjp !== "nondifferentiable" && !flat.includes(name))
    .map(([name]) => name);
  expect(smooth.filter((name) => !rows.some((row) => row.name === name && row.differentiable))).toEqual([]);
});
