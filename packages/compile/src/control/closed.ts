import { bind, bindCall, literal } from "@jnx/tensor/internal";
import type { Aval, Tensor } from "@jnx/tensor";
import { Capture } from "../capture.ts";
import { operandsOf, type Graph, type GraphCall, type GraphNode } from "../graph.ts";

/** A function as a graph that can be traced again: its inputs are those asked for, then what it closed over. */
export interface Closed {
  readonly graph: Graph;
  readonly lifted: readonly Tensor[];
}

/** Traces f on symbols of these shapes and dtypes, with the names that errors call them by; nothing runs. */
export function close(
  name: string,
  avals: readonly Aval[],
  f: (inputs: Tensor[]) => readonly Tensor[],
  names: readonly string[] = [],
): Closed {
  const capture = new Capture(name, true);
  const symbols = avals.map((aval, index) => capture.input(index, aval, names[index]));
  const outputs = capture.run(() => f(symbols));
  const graph = capture.finish(outputs);
  return { graph, lifted: capture.lifted ?? [] };
}

/** A function and what it takes besides what it closes over. */
export type Closable = readonly [avals: readonly Aval[], f: (inputs: Tensor[]) => readonly Tensor[]];

/** Several functions, each as a graph of its own inputs, then what any of them closed over. */
export function closeTogether(
  name: string,
  functions: readonly Closable[],
  names: readonly string[] = [],
): { readonly graphs: readonly Graph[]; readonly lifted: readonly Tensor[] } {
  const closed = functions.map(([avals, f]) => ({ avals, ...close(name, avals, f, names) }));
  const lifted = [...new Set(closed.flatMap((one) => one.lifted))];
  const graphs = closed.map(({ avals, graph, lifted: own }) => {
    const again = (inputs: Tensor[]): Tensor[] =>
      evaluateNodes(graph.outputs, [
        ...inputs.slice(0, avals.length),
        ...own.map((tensor) => inputs[avals.length + lifted.indexOf(tensor)]),
      ]);
    return close(name, [...avals, ...lifted], again).graph;
  });
  return { graphs, lifted };
}

/** The nodes that outputs need once `known` are given, in order. */
function needed(outputs: readonly GraphNode[], known: ReadonlyMap<GraphNode, Tensor>): GraphNode[] {
  const found = new Set<GraphNode>();
  const stack = [...outputs];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (found.has(node) || known.has(node)) continue;
    found.add(node);
    stack.push(...operandsOf(node));
  }
  return [...found].sort((a, b) => a.id - b.id);
}

/** Runs some nodes of a graph again, through `bind`: on whatever level is open. `known` are values to start from. */
export function evaluateNodes(
  outputs: readonly GraphNode[],
  inputs: readonly (Tensor | undefined)[],
  known: ReadonlyMap<GraphNode, Tensor> = new Map(),
): Tensor[] {
  const values = new Map(known);
  const calls = new Map<GraphCall, readonly Tensor[]>();
  const of = (node: GraphNode): Tensor => {
    const value = values.get(node);
    if (value === undefined) throw new Error("jnx internal error: a node of a graph came before what it reads");
    return value;
  };
  const compute = (node: GraphNode): Tensor | undefined => {
    if (node.kind === "input") return inputs[node.index];
    if (node.kind === "constant") return node.tensor;
    if (node.kind === "literal") return literal(node.value, node.shape, node.dtype, node.weak);
    if (node.kind === "op") return bind(node.op, node.inputs.map(of), node.attrs);
    const { call } = node;
    const results = calls.get(call) ?? bindCall(call.op, call.inputs.map(of));
    calls.set(call, results);
    return results[node.index];
  };
  for (const node of needed(outputs, known)) {
    const value = compute(node);
    if (value === undefined) throw new Error("jnx internal error: a graph lacks an input");
    values.set(node, value);
  }
  return outputs.map(of);
}
