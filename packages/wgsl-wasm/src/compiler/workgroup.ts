import type { Builder } from "./builder.ts";
import { newLoop, type Node } from "./ir.ts";

export type Three = readonly [Node, Node, Node];

/** `for (i = from; i < to; i += 1) body(i)`, i unsigned. */
export function countedLoop(b: Builder, from: Node, to: Node, body: (counter: Node) => void): void {
  const item = newLoop(b.block);
  const slot = b.slot("i32", item.header, 0);
  item.cond = b.inside(item.header, () => b.op("i32.lt_u", [slot, to]));
  b.inside(item.body, () => body(slot));
  item.phis.push({ slot, init: from, next: b.op("i32.add", [slot, b.i32(1)]) });
  b.add(item);
}

/** One loop for each axis of the workgroup that has more than one invocation. */
export function invocations(b: Builder, size: readonly [number, number, number], body: (local: Three) => void): void {
  const axis = (extent: number, inner: (counter: Node) => void): void =>
    extent === 1 ? inner(b.i32(0)) : countedLoop(b, b.i32(0), b.i32(extent), inner);
  axis(size[2], (z) => axis(size[1], (y) => axis(size[0], (x) => body([x, y, z]))));
}
