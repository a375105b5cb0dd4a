import { zeroOf } from "@jnx/autodiff/internal";
import { isFloat, type CallPullback } from "@jnx/tensor/internal";
import { add, type Tensor } from "@jnx/tensor";
import { evaluateNodes } from "./closed.ts";
import { jointOf, type Joint } from "./joint.ts";
import type { ScanSpec } from "./loop.ts";
import { partsOf, rowAval, type Parts } from "./parts.ts";

/** Traces a body over these parts and binds the loop: scan-op.ts has it. */
type BindScan = (
  parts: Parts<Tensor>,
  loop: Pick<ScanSpec, "length" | "reverse">,
  body: (inputs: Parts<Tensor>) => readonly Tensor[],
) => readonly Tensor[];

/**
 * The gradient of a loop is a loop in the other direction: the way there stacks what the way back reads of each step,
 * the way back carries the cotangents of the carry and sums those of the constants.
 */
export function scanPullback(
  spec: ScanSpec,
  inputs: readonly Tensor[],
  needs: readonly boolean[],
  bindScan: BindScan,
): CallPullback {
  const { carries, body } = spec;
  const wanted = inputs.map((x, k) => isFloat(x.dtype) && (k < carries || needs[k] === true));
  const parts = partsOf(spec, inputs);
  const rows = [...parts.carry, ...parts.xs.map(rowAval), ...parts.constants];
  const joint = jointOf("scan", body, rows, wanted, { lost: carries, moving: carries + spec.xs });
  const gap = body.outputs.filter(({ dtype }) => isFloat(dtype)).map((): undefined => undefined);
  const there = bindScan(parts, spec, ({ carry, xs, constants }) =>
    evaluateNodes([...joint.forward, ...joint.residuals], [...carry, ...xs, ...constants, ...gap, ...joint.lifted]),
  );
  const outputs = there.slice(0, body.outputs.length);
  const residuals = there.slice(body.outputs.length);
  return {
    outputs,
    residuals: [...inputs, ...residuals],
    pull: (cts) => pulled(spec, { inputs, wanted, outputs, residuals, cts }, joint, bindScan),
  };
}

interface WayBack {
  readonly inputs: readonly Tensor[];
  readonly wanted: readonly boolean[];
  readonly outputs: readonly Tensor[];
  readonly residuals: readonly Tensor[];
  readonly cts: readonly (Tensor | undefined)[];
}

function pulled(
  spec: ScanSpec,
  { inputs, wanted, outputs, residuals, cts }: WayBack,
  joint: Joint,
  bindScan: BindScan,
): (Tensor | undefined)[] {
  const { carries } = spec;
  const parts = partsOf(spec, inputs);
  const flags = partsOf(spec, wanted);
  const given = outputs.map((output, k) => (isFloat(output.dtype) ? (cts[k] ?? zeroOf(output)) : undefined));
  const carryCts = given.slice(0, carries).flatMap((ct) => ct ?? []);
  const rowCts = given.slice(carries).flatMap((ct) => ct ?? []);
  const sums = parts.constants.filter((_, k) => flags.constants[k]).map(zeroOf);
  const loop = { length: spec.length, reverse: !spec.reverse };
  const operands = {
    carry: [...carryCts, ...sums],
    xs: [...rowCts, ...residuals, ...parts.xs],
    constants: parts.constants,
  };
  const results = bindScan(operands, loop, ({ carry, xs, constants }) => {
    const known = new Map(joint.residuals.map((node, k) => [node, xs[rowCts.length + k] ?? fail()] as const));
    const rows = xs.slice(rowCts.length + residuals.length);
    const unknown = parts.carry.map((): undefined => undefined);
    const seen = [...carry.slice(0, carryCts.length), ...xs.slice(0, rowCts.length)];
    const gradients = evaluateNodes(joint.back, [...unknown, ...rows, ...constants, ...seen, ...joint.lifted], known);
    const moved = gradients.slice(0, carryCts.length);
    const ys = gradients.slice(carryCts.length, gradients.length - sums.length);
    const more = gradients.slice(gradients.length - sums.length);
    return [...moved, ...more.map((part, k) => add(carry[carryCts.length + k] ?? fail(), part)), ...ys];
  });
  // Carries, rows, constants: the order of the operands.
  const [moved, rest] = [results.slice(0, carryCts.length), results.slice(carryCts.length)];
  const queue = [...moved, ...rest.slice(sums.length), ...rest.slice(0, sums.length)];
  return wanted.map((is) => (is ? queue.shift() : undefined));
}

function fail(): never {
  throw new Error("jnx internal error: a loop lacks a value");
}
