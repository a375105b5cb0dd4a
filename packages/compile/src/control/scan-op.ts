import { Batch, Forward, zeroOf } from "@jnx/autodiff/internal";
import {
  bindCall,
  convert,
  isFloat,
  literal,
  withFrame,
  withLevel,
  type BatchAxis,
  type CallOp,
} from "@jnx/tensor/internal";
import { broadcastTo, laxSlice, moveaxis, reshape, stack, type Tensor } from "@jnx/tensor";
import { claimed } from "./claims.ts";
import { close, evaluateNodes } from "./closed.ts";
import { loopCall, type ScanSpec } from "./loop.ts";
import { partsOf, rowAval, type Parts } from "./parts.ts";
import { scanPullback } from "./scan-vjp.ts";

/** The outputs of a body, typed strongly: a carry has one type however its first value was given. */
export function strong(outputs: readonly Tensor[]): Tensor[] {
  return outputs.map((output) => convert(output, output.dtype, false));
}

/** A loop over a body that is traced from these parts' rows, bound at once: carries and stacks come out. */
export function bindScan(
  parts: Parts<Tensor>,
  loop: Pick<ScanSpec, "length" | "reverse">,
  body: (inputs: Parts<Tensor>) => readonly Tensor[],
  { name, names }: { readonly name: string; readonly names: readonly string[] } = { name: "scan", names: [] },
): readonly Tensor[] {
  const sizes = { carries: parts.carry.length, xs: parts.xs.length };
  const carry = strong(parts.carry);
  const avals = [...carry, ...parts.xs.map(rowAval), ...parts.constants];
  const { graph, lifted } = close(name, avals, (inputs) => strong(body(partsOf(sizes, inputs))), names);
  const spec: ScanSpec = { body: graph, ...sizes, length: loop.length, reverse: loop.reverse };
  return bindCall(scanOp(spec), [...carry, ...parts.xs, ...parts.constants, ...lifted]);
}

/** A loop as one call. Its derivatives and batches are loops over derived bodies. */
export function scanOp(spec: ScanSpec): CallOp {
  const loop = loopCall(spec);
  return {
    name: "scan",
    loop,
    run: (inputs) =>
      claimed(inputs) ? unrolled(spec, inputs) : withFrame(undefined, () => loop.run(inputs, undefined)),
    vjp: (inputs, needs) => scanPullback(spec, inputs, needs, bindScan),
    jvp: (inputs, tangents) => pushed(spec, inputs, tangents),
    batch: (inputs, batched, axis) => batch(spec, inputs, batched, axis),
  };
}

/** The body once for each row, op by op: for levels that see ops only. */
function unrolled({ body, carries, xs, length, reverse }: ScanSpec, inputs: readonly Tensor[]): Tensor[] {
  const parts = partsOf({ carries, xs }, inputs);
  let { carry } = parts;
  const rows: Tensor[][] = [];
  for (let step = 0; step < length; step++) {
    const index = reverse ? length - 1 - step : step;
    const row = parts.xs.map((x) => {
      const starts = x.shape.map((_, axis) => (axis === 0 ? index : 0));
      const limits = x.shape.map((extent, axis) => (axis === 0 ? index + 1 : extent));
      return reshape(laxSlice(x, starts, limits), x.shape.slice(1));
    });
    const outputs = evaluateNodes(body.outputs, [...carry, ...row, ...parts.constants]);
    carry = outputs.slice(0, carries);
    rows.push(outputs.slice(carries));
  }
  if (reverse) rows.reverse();
  const stacks = body.outputs
    .slice(carries)
    .map(({ shape, dtype }, k) =>
      length === 0 ? literal(0, [0, ...shape], dtype) : stack(rows.flatMap((row) => row[k] ?? [])),
    );
  return [...carry, ...stacks];
}

type Tangents = readonly (Tensor | undefined)[];

/** Tangents of all float carries go round with them; of rows and constants, those that there are. */
function pushed(
  spec: ScanSpec,
  inputs: readonly Tensor[],
  tangents: Tangents,
): { outputs: readonly Tensor[]; tangents: Tangents } {
  const moving = inputs.map((x, k) => isFloat(x.dtype) && (k < spec.carries || tangents[k] !== undefined));
  const moves = inputs.map((x, k) => (moving[k] === true ? (tangents[k] ?? zeroOf(x)) : undefined));
  const [plain, moved] = [partsOf(spec, inputs), partsOf(spec, moves)];
  const some = (list: Tangents): Tensor[] => list.flatMap((x) => x ?? []);
  const both = (key: keyof Parts<Tensor>): Tensor[] => [...plain[key], ...some(moved[key])];
  const outputFloat = spec.body.outputs.map(({ dtype }) => isFloat(dtype));
  const results = bindScan({ carry: both("carry"), xs: both("xs"), constants: both("constants") }, spec, (rows) => {
    const level = new Forward("scan");
    const perturbed = (key: keyof Parts<Tensor>): Tensor[] => {
      const queue = rows[key].slice(plain[key].length);
      return plain[key].map((_, k) => {
        const x = rows[key][k];
        if (x === undefined) throw new Error("jnx internal error: a loop lacks an operand");
        const move = moved[key][k] === undefined ? undefined : queue.shift();
        return move === undefined ? x : level.perturb(x, move);
      });
    };
    const operands = [...perturbed("carry"), ...perturbed("xs"), ...perturbed("constants")];
    const outputs = withLevel(level, () => evaluateNodes(spec.body.outputs, operands));
    const slopes = outputs.map((output) => level.tangentOf(output) ?? zeroOf(output));
    const floats = (from: number, to?: number): Tensor[] => slopes.slice(from, to).filter((x) => isFloat(x.dtype));
    const { carries } = spec;
    return [...outputs.slice(0, carries), ...floats(0, carries), ...outputs.slice(carries), ...floats(carries)];
  });
  return apart(results, outputFloat, spec.carries);
}

/** [carry, its tangents, ys, their tangents] as outputs and tangents. */
function apart(
  results: readonly Tensor[],
  float: readonly boolean[],
  carries: number,
): { outputs: Tensor[]; tangents: (Tensor | undefined)[] } {
  const queue = [...results];
  const take = (count: number): Tensor[] => queue.splice(0, count);
  const floats = (from: number, to?: number): number => float.slice(from, to).filter(Boolean).length;
  const carry = take(carries);
  const carryTangents = take(floats(0, carries));
  const ys = take(float.length - carries);
  const tangents = [...carryTangents, ...take(floats(carries))];
  return { outputs: [...carry, ...ys], tangents: float.map((is) => (is ? tangents.shift() : undefined)) };
}

/** Which carries differ between examples is found by trying: one that becomes so on the way was so from the start. */
function batch(
  spec: ScanSpec,
  inputs: readonly Tensor[],
  batched: readonly boolean[],
  { size, axisName }: BatchAxis,
): readonly Tensor[] {
  const { body, carries } = spec;
  const level = new Batch("scan", size, axisName);
  const flags = [...batched];
  const example = (list: readonly Tensor[]): Tensor[] => list.map((x, k) => (flags[k] === true ? level.example(x) : x));
  const whole = (x: Tensor): Tensor => broadcastTo(x, [size, ...x.shape]);
  const operands = (): Tensor[] =>
    inputs.map((x, k) => {
      if (k < carries) return flags[k] === true && batched[k] !== true ? whole(x) : x;
      // Rows are taken along the first axis, examples along the one after it.
      return flags[k] === true && k < carries + spec.xs ? moveaxis(x, 0, 1) : x;
    });
  const evaluate = (rows: readonly Tensor[]): Tensor[] =>
    withLevel(level, () => evaluateNodes(body.outputs, example(rows)));
  for (let settled = false; !settled;) {
    settled = true;
    const current = partsOf(spec, operands());
    close("scan", [...current.carry, ...current.xs.map(rowAval), ...current.constants], (rows) => {
      evaluate(rows)
        .slice(0, carries)
        .forEach((output, k) => {
          if (flags[k] === true || level.physical(output) === undefined) return;
          flags[k] = true;
          settled = false;
        });
      return [];
    });
  }
  const results = bindScan(partsOf(spec, operands()), spec, (rows) => {
    const outputs = evaluate([...rows.carry, ...rows.xs, ...rows.constants]);
    const ys = level.collect(outputs.slice(carries));
    return [...outputs.slice(0, carries).map((x, k) => (flags[k] === true ? (level.collect([x])[0] ?? x) : x)), ...ys];
  });
  return results.map((x, k) => (k >= carries ? moveaxis(x, 0, 1) : flags[k] === true ? x : whole(x)));
}
