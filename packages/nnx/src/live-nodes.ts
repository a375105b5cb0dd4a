/** A node that may still be in use, held weakly. */
export interface LiveNode {
  readonly ref: WeakRef<object>;
  /** The names of its fields when somebody last looked. */
  names: readonly string[];
}

/** Now and then those that are gone are swept out. */
let nodes: LiveNode[] = [];
let sweepAt = 1024;

/** Keeps sight of a node as long as it lives. */
export function noteNode(node: object): void {
  nodes.push({ ref: new WeakRef(node), names: [] });
  if (nodes.length < sweepAt) return;
  nodes = nodes.filter(({ ref }) => ref.deref() !== undefined);
  sweepAt = Math.max(1024, 2 * nodes.length);
}

/** Every node that may be alive. */
export function liveNodes(): readonly LiveNode[] {
  return nodes;
}
