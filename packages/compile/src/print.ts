import type { Aval } from "@jnx/tensor";
import { deviceCallOf } from "./control/device-call.ts";
import { exactNumber, liveNodes, type Graph, type GraphCall, type GraphNode } from "./graph.ts";

/** A graph as text, one node a line: what snapshots compare and DEBUG prints. */
export function printGraph(graph: Graph): string {
  const names = new Map<GraphNode, string>();
  const calls = new Map<GraphCall, string>();
  const lines: string[] = [];
  for (const node of liveNodes([...graph.inputs, ...graph.outputs])) {
    names.set(node, `%${names.size}`);
    lines.push(`${names.get(node) ?? ""}: ${avalText(node)} = ${definition(node, names, calls)}`);
  }
  lines.push(`return ${graph.outputs.map((node) => names.get(node) ?? "?").join(", ")}`);
  return lines.join("\n");
}

export function avalText({ shape, dtype }: Aval): string {
  return `${dtype}[${shape.join(",")}]`;
}

function definition(node: GraphNode, names: ReadonlyMap<GraphNode, string>, calls: Map<GraphCall, string>): string {
  if (node.kind === "input") return `input ${node.index}`;
  if (node.kind === "constant") return "constant";
  if (node.kind === "literal") return Object.is(node.value, -0) ? "-0" : String(node.value);
  if (node.kind === "result") {
    const { call, index } = node;
    const known = calls.get(call);
    if (known !== undefined) return `${known}[${index}]`;
    const operands = call.inputs.map((input) => names.get(input) ?? "?");
    const name = `${call.op.name}.${calls.size}`;
    calls.set(call, name);
    // Where a call is first met it is written out, with its bodies.
    const body = deviceCallOf(call.op)?.text() ?? "";
    return `${name}[${index}] of ${call.op.name}(${operands.join(", ")})${body.replaceAll("\n", "\n  ")}`;
  }
  const attrs = node.attrs === undefined ? "" : ` ${JSON.stringify(node.attrs, exactNumber)}`;
  return `${node.op.name}(${node.inputs.map((input) => names.get(input) ?? "?").join(", ")})${attrs}`;
}
