import type { Aval } from "@jnx/tensor";
import { liveNodes, type Graph, type GraphNode } from "./graph.ts";

/** A graph as text, one node a line: what snapshots compare and DEBUG prints. */
export function printGraph(graph: Graph): string {
  const names = new Map<GraphNode, string>();
  const lines: string[] = [];
  for (const node of liveNodes([...graph.inputs, ...graph.outputs])) {
    names.set(node, `%${names.size}`);
    lines.push(`${names.get(node) ?? ""}: ${avalText(node)} = ${definition(node, names)}`);
  }
  lines.push(`return ${graph.outputs.map((node) => names.get(node) ?? "?").join(", ")}`);
  return lines.join("\n");
}

export function avalText({ shape, dtype }: Aval): string {
  return `${dtype}[${shape.join(",")}]`;
}

function definition(node: GraphNode, names: ReadonlyMap<GraphNode, string>): string {
  if (node.kind === "input") return `input ${node.index}`;
  if (node.kind === "constant") return "constant";
  if (node.kind === "literal") return String(node.value);
  if (node.kind === "result") {
    const operands = node.call.inputs.map((input) => names.get(input) ?? "?");
    return `${node.call.op.name}(${operands.join(", ")})[${node.index}]`;
  }
  const attrs = node.attrs === undefined ? "" : ` ${JSON.stringify(node.attrs)}`;
  return `${node.op.name}(${node.inputs.map((input) => names.get(input) ?? "?").join(", ")})${attrs}`;
}
