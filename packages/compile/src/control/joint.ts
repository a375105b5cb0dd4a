import { Tape, zeroOf } from "@jnx/autodiff/internal";
import { isFloat } from "@jnx/tensor/internal";
import type { Aval, Tensor } from "@jnx/tensor";
import { operandsOf, type Graph, type GraphNode } from "../graph.ts";
import { close, evaluateNodes } from "./closed.ts";

/** A body and its way back as one graph: outputs [outputs of the body, cotangents of the inputs that need one]. */
export interface Joint {
  readonly forward: readonly GraphNode[];
  readonly back: readonly GraphNode[];
  /** What the way back reads of the way there, and would have to compute again. */
  readonly residuals: readonly GraphNode[];
  /** The body's inputs, then cotangents of float outputs, then what rules of calls closed over. */
  readonly lifted: readonly Tensor[];
}

/** Which inputs of a body the way back has no more (`lost`), and which it has but may not compute from (`moving`). */
export interface Kept {
  /** So many inputs at the start are gone on the way back: they are residuals themselves. */
  readonly lost: number;
  /** What is computed from so many inputs at the start is stored; what comes of the others alone is computed again. */
  readonly moving: number;
}

/** Traces a body of inputs `rows` and its pullback for those `wanted`. */
export function jointOf(
  name: string,
  body: Graph,
  rows: readonly Aval[],
  wanted: readonly boolean[],
  kept: Kept,
): Joint {
  const floats = body.outputs.filter(({ dtype }) => isFloat(dtype));
  const count = body.outputs.length;
  const { graph, lifted } = close(name, [...rows, ...floats], (symbols) => {
    const tape = new Tape(name);
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
  return { forward, back, lifted, residuals: residualsOf(back, kept, rows.length, floats.length) };
}

/**
 * Where the way back begins to be independent of cotangents. Inputs that are there again, constants and what is
 * computed from them alone are not stored; a view is taken again of what it is a view of.
 */
function residualsOf(back: readonly GraphNode[], { lost, moving }: Kept, inputs: number, cts: number): GraphNode[] {
  const kinds = new Map<GraphNode, { readonly ct: boolean; readonly lost: boolean; readonly moving: boolean }>();
  const found = new Set<GraphNode>();
  const order = [...reachable(back)].sort((a, b) => a.id - b.id);
  for (const node of order) {
    const of = operandsOf(node).map((operand) => kinds.get(operand) ?? fail());
    const input = node.kind === "input" ? node.index : Number.NaN;
    kinds.set(node, {
      ct: (input >= inputs && input < inputs + cts) || of.some(({ ct }) => ct),
      lost: input < lost || of.some((kind) => kind.lost),
      moving: input < moving || of.some((kind) => kind.moving),
    });
  }
  const keep = (node: GraphNode): void => {
    const kind = kinds.get(node) ?? fail();
    if (kind.ct || !kind.moving) return;
    if (node.kind === "input" && !kind.lost) return;
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

function fail(): never {
  throw new Error("jnx internal error: a body lacks a value");
}
