import { Tape, zeroOf } from "@jnx/autodiff/internal";
import { isFloat, type CallPullback } from "@jnx/tensor/internal";
import { add, type Tensor } from "@jnx/tensor";
import { operandsOf, type GraphNode } from "../graph.ts";
import { close, evaluateNodes } from "./closed.ts";
import type { ScanSpec } from "./loop.ts";
import { partsOf, rowAval, type Parts } from "./parts.ts";

/** Traces a body over these parts and binds the loop: scan-op.ts has it. */
type BindScan = (
  parts: Parts<Tensor>,
  loop: Pick<ScanSpec, "length" | "reverse">,
  body: (inputs: Parts<Tensor>) => readonly Tensor[],
) => readonly Tensor[];

/** A body and its way back as one graph: outputs [outputs of the body, cotangents of the inputs that need one]. */
interface Joint {
  readonly forward: readonly GraphNode[];
  readonly back: readonly GraphNode[];
  /** What the way back reads of the way there, and would have to compute again from the carry. */
  readonly residuals: readonly GraphNode[];
  /** The body's inputs, then cotangents of float outputs, then what rules of calls closed over. */
  readonly lifted: readonly Tensor[];
}

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
  const joint = jointOf(spec, inputs, wanted);
  const parts = partsOf(spec, inputs);
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

function jointOf(spec: ScanSpec, inputs: readonly Tensor[], wanted: readonly boolean[]): Joint {
  const { body } = spec;
  const parts = partsOf(spec, inputs);
  const rows = [...parts.carry, ...parts.xs.map(rowAval), ...parts.constants];
  const floats = body.outputs.filter(({ dtype }) => isFloat(dtype));
  const count = body.outputs.length;
  const { graph, lifted } = close("scan", [...rows, ...floats], (symbols) => {
    const tape = new Tape("scan");
    const leaves = rows.map((_, k) => {
      const x = symbols[k] ?? fail();
      return wanted[k] === true ? tape.watch(x) : x;
    });
    const outputs = tape.record(() => evaluateNodes(body.outputs, leaves));
    const queue = symbols.slice(rows.length);
    const cts = outputs.map((output) => (isFloat(output.dtype) ? queue.shift() : undefined));
    const chosen = leaves.filter((_, k) => wanted[k]);
    const gradients = tape.pullback(outputs, cts, chosen);
    tape.release();
    return [...outputs, ...gradients.map((gradient, k) => gradient ?? zeroOf(chosen[k] ?? fail()))];
  });
  const [forward, back] = [graph.outputs.slice(0, count), graph.outputs.slice(count)];
  return { forward, back, lifted, residuals: residualsOf(back, spec, rows.length, floats.length) };
}

/**
 * Where the way back begins to be independent of cotangents. Inputs that are there again, constants and what is
 * computed from them alone are not stored; a view is taken again of what it is a view of.
 */
function residualsOf(back: readonly GraphNode[], spec: ScanSpec, inputs: number, cts: number): GraphNode[] {
  const kinds = new Map<GraphNode, { readonly ct: boolean; readonly carry: boolean; readonly step: boolean }>();
  const found = new Set<GraphNode>();
  const order = [...reachable(back)].sort((a, b) => a.id - b.id);
  for (const node of order) {
    const of = operandsOf(node).map((operand) => kinds.get(operand) ?? fail());
    const input = node.kind === "input" ? node.index : Number.NaN;
    kinds.set(node, {
      ct: (input >= inputs && input < inputs + cts) || of.some(({ ct }) => ct),
      carry: input < spec.carries || of.some(({ carry }) => carry),
      step: input < spec.carries + spec.xs || of.some(({ step }) => step),
    });
  }
  const keep = (node: GraphNode): void => {
    const kind = kinds.get(node) ?? fail();
    if (kind.ct || !kind.step) return;
    if (node.kind === "input" && !kind.carry) return;
    if (node.kind === "op" && node.op.kind === "view") for (const operand of node.inputs) keep(operand);
    else found.add(node);
  };
  for (const node of order) if (kinds.get(node)?.ct === true) operandsOf(node).forEach(keep);
  back.forEach(keep);
  return [...found];
}

function reachable(from: readonly GraphNode[]): Set<GraphNode> {
  const found = new Set<GraphNode>();
  const stack = [...from];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    stack.push(...operandsOf(node));
  }
  return found;
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
