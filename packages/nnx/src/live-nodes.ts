/** Nodes that may still be in use, held weakly; now and then those that are gone are swept out. */
let nodes: WeakRef<object>[] = [];
let sweepAt = 1024;

/** Keeps sight of a node as long as it lives. */
export function noteNode(node: object): void {
  nodes.push(new WeakRef(node));
  if (nodes.length < sweepAt) return;
  nodes = nodes.filter((one) => one.deref() !== undefined);
  sweepAt = Math.max(1024, 2 * nodes.length);
}

/** Every node that is alive. */
export function* liveNodes(): Generator<object> {
  for (const one of nodes) {
    const node = one.deref();
    if (node !== undefined) yield node;
  }
}
