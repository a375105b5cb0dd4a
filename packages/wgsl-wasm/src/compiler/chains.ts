import type { Node } from "./ir.ts";

/**
 * Does `work` on a node after it has been done on its operands; `isDone` tells where. What is open is a list of its own, for
 * chains of values are longer than a call stack.
 */
export function operandsFirst(node: Node, isDone: (node: Node) => boolean, work: (node: Node) => void): void {
  if (isDone(node)) return;
  const open = [node];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const before = open.length;
    const done = isDone(top);
    if (!done) for (const arg of top.args) if (!isDone(arg)) open.push(arg);
    if (open.length > before) continue;
    if (!done) work(top);
    open.pop();
  }
}
