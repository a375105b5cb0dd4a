import { op_isinf, op_isnan } from "@jnx/kernels-wgsl";
import { executor } from "./device/current.ts";
import type { Executor } from "./device/executor.ts";
import { expect, forget } from "./device/verdicts.ts";
import { isFloat } from "./dtype.ts";
import { evaluate } from "./eager.ts";
import { FloatingPointError } from "./errors.ts";
import type { MapOp, ReduceOp } from "./op.ts";
import { shapeText } from "./shape.ts";
import { deviceStorage, Tensor, type Aval } from "./tensor.ts";

/** What is looked for: the switch jax_debug_nans asks for "nan", jax_debug_infs for "inf". */
export type Fault = "nan" | "inf";

const TESTS = { nan: test("isnan", op_isnan), inf: test("isinf", op_isinf) };
const MARK: Aval = { shape: [], dtype: "int32", weak: false };

/** Which op was the first to make what is looked for: a number on the device, from 1 on, and the error that each stands for. */
interface Record {
  first: Tensor;
  readonly errors: Error[];
}

const records = new WeakMap<Executor, Record>();

/**
 * Has the device note whether the results hold a NaN (or an infinity): whoever waits for it next is told the first op that made
 * one. The error is made now, so that its stack is that of the call.
 *
 * @throws FloatingPointError at once if the host knows the value.
 */
export function watch(fault: Fault, name: string, inputs: readonly Aval[], results: readonly Tensor[]): void {
  for (const result of results) {
    const { payload } = result;
    if (!isFloat(result.dtype) || payload.kind === "symbolic") continue;
    const error = new FloatingPointError(describe(fault, name, inputs, result));
    if (payload.kind === "device") note(fault, result, error);
    else if (fault === "nan" ? Number.isNaN(payload.value) : Math.abs(payload.value) === Infinity) throw error;
  }
}

function describe(fault: Fault, name: string, inputs: readonly Aval[], result: Aval): string {
  const text = ({ dtype, shape }: Aval): string => `${dtype}${shapeText(shape)}`;
  const from = inputs.length === 0 ? "nothing" : inputs.map(text).join(", ");
  return `${name}: invalid value (${fault}) in its result ${text(result)}, made from ${from}; jax_debug_${fault}s is on, and this is the first op since the last wait that made one`;
}

function note(fault: Fault, result: Tensor, error: Error): void {
  const device = executor();
  const record = records.get(device) ?? { first: literalMark(0), errors: [] };
  records.set(device, record);
  const mark = record.errors.push(error);
  const flags = evaluate(TESTS[fault], [result], undefined);
  const found = evaluate(
    ANY,
    [flags],
    flags.shape.map((_, axis) => axis),
  );
  const first = evaluate(FIRST, [found, record.first, literalMark(mark)], undefined);
  const storage = deviceStorage(first);
  // It outlives the transform that this op runs in.
  storage.slots++;
  for (const spent of [flags, found]) spent.dispose();
  drop(record.first);
  record.first = first;
  const looked = (): void => {
    records.delete(device);
    drop(first);
  };
  expect(storage, { error: ([made = 0]) => record.errors[made - 1], looked });
}

/** Lets go of a mark that nobody will look at. */
function drop({ payload }: Tensor): void {
  if (payload.kind !== "device") return;
  const { storage } = payload;
  forget(storage);
  storage.slots--;
  storage.free("a mark of the watch for NaN is gone");
}

function literalMark(value: number): Tensor {
  return new Tensor(MARK, { kind: "literal", value });
}

function test(name: string, fn: typeof op_isnan): MapOp<undefined> {
  return {
    kind: "map",
    name,
    infer: ([x]) => ({ shape: x?.shape ?? [], dtype: "bool", weak: false }),
    wgsl: ([x = ""], { use }) => `${use(fn)}(${x})`,
    vjp: "nondifferentiable",
  };
}

const ANY: ReduceOp<readonly number[]> = {
  kind: "reduce",
  name: "any",
  combine: "any",
  infer: () => ({ shape: [], dtype: "bool", weak: false }),
  axes: (axes) => axes,
  vjp: "nondifferentiable",
  batch: () => {
    throw new Error("jnx internal error: what watches for NaN runs below every transform");
  },
};

/** The first mark stays. */
const FIRST: MapOp<undefined> = {
  kind: "map",
  name: "first",
  infer: () => MARK,
  wgsl: ([found = "", first = "", mark = ""]) => `select(${first}, ${mark}, ${found} & (${first} == I(0)))`,
  vjp: "nondifferentiable",
};
