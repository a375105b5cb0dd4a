import { isFloat, sizeOf } from "@jnx/tensor/internal";
import { liveNodes, type Graph, type GraphNode } from "./graph.ts";

/**
 * What a graph computes, by what its ops say: a product 2·m·n·k and a convolution alike, an elementwise op one for each
 * element of a float result, whatever the function, a reduction one for each element that it reads. Moves, integers,
 * comparisons and loops (whose bodies have counts of their own) are none.
 */
export function flopsOf(graph: Graph): number {
  return liveNodes(graph.outputs).reduce((total, node) => total + flopsOfNode(node), 0);
}

function flopsOfNode(node: GraphNode): number {
  if (node.kind !== "op" || !isFloat(node.dtype)) return 0;
  const { op, inputs, attrs } = node;
  if (op.kind === "kernel") return op.flops?.(inputs, attrs) ?? 0;
  if (op.kind === "reduce") return inputs.reduce((count, { shape }) => count + sizeOf(shape), 0);
  return op.kind === "map" && inputs.length > 0 ? sizeOf(node.shape) : 0;
}
