import type { AnyOp, CallOp, KernelOp, ReduceOp } from "@jnx/tensor/internal";
import type { Aval, Tensor } from "@jnx/tensor";

/**
 * The IR: single-result nodes over avals, in the order in which they were captured, so that a node's inputs always
 * come before it. Nothing here runs, fuses or plans.
 */
export type GraphNode = InputNode | ConstantNode | LiteralNode | OpNode | ResultNode;

interface NodeBase extends Aval {
  /** The position in the graph; inputs have smaller ids. */
  readonly id: number;
}

/** The value of a traced argument, another one at every call. */
export interface InputNode extends NodeBase {
  readonly kind: "input";
  readonly index: number;
}

/** A tensor that the traced function closed over: the same at every call. */
export interface ConstantNode extends NodeBase {
  readonly kind: "constant";
  readonly tensor: Tensor;
}

/** Every element is the same number. */
export interface LiteralNode extends NodeBase {
  readonly kind: "literal";
  readonly value: number;
}

/** An op applied to earlier nodes. */
export interface OpNode extends NodeBase {
  readonly kind: "op";
  readonly op: AnyOp;
  readonly inputs: readonly GraphNode[];
  readonly attrs: unknown;
}

/** One of several results of a call: a loop, or a function with rules of its own. The call is one for all of them. */
export interface ResultNode extends NodeBase {
  readonly kind: "result";
  readonly call: GraphCall;
  readonly index: number;
}

export interface GraphCall {
  readonly op: CallOp;
  readonly inputs: readonly GraphNode[];
}

/** A node with a loop of its own: a reduction or a kernel. */
export interface AnchorNode extends OpNode {
  // The attrs are the op's own, and go back to it alone.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly op: ReduceOp<any> | KernelOp<any>;
}

export function isAnchor(node: GraphNode): node is AnchorNode {
  return node.kind === "op" && (node.op.kind === "reduce" || node.op.kind === "kernel");
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly inputs: readonly InputNode[];
  readonly outputs: readonly GraphNode[];
}

/** The inputs of a node; none for leaves. */
export function operandsOf(node: GraphNode): readonly GraphNode[] {
  if (node.kind === "result") return node.call.inputs;
  return node.kind === "op" ? node.inputs : [];
}

/** The nodes that an output needs, in order: dead code is what is left out. */
export function liveNodes(outputs: readonly GraphNode[]): GraphNode[] {
  const live = new Set<GraphNode>();
  const stack = [...outputs];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (live.has(node)) continue;
    live.add(node);
    stack.push(...operandsOf(node));
  }
  return [...live].sort((a, b) => a.id - b.id);
}

/** JSON has no −0, NaN or infinities; ops that differ in them alone are not the same. */
export function exactNumber(_key: string, value: unknown): unknown {
  return typeof value === "number" && (Object.is(value, -0) || !Number.isFinite(value))
    ? `#${Object.is(value, -0) ? "-0" : value}`
    : value;
}
