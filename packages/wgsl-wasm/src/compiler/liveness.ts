import type { Assignment, Block, Item, LoadItem, Node } from "./ir.ts";

/** Every item of a block and of those nested in it, in order, each with its block and index. */
export function eachItem(block: Block, visit: (item: Item, block: Block, index: number) => void): void {
  block.items.forEach((item, index) => {
    visit(item, block, index);
    if (item.kind === "if") {
      eachItem(item.then, visit);
      eachItem(item.otherwise, visit);
    } else if (item.kind === "loop") {
      eachItem(item.header, visit);
      eachItem(item.body, visit);
    } else if (item.kind === "scope") eachItem(item.block, visit);
  });
}

/** Marks what stores and branches need; a slot needs what is assigned to it. Returns all live nodes. */
export function markLive(root: Block): Node[] {
  const assigned = new Map<Node, Node[]>();
  const loads = new Map<Node, LoadItem>();
  const live: Node[] = [];
  const open: Node[] = [];
  const note = ({ slot, value }: Assignment): void => {
    const values = assigned.get(slot);
    if (values === undefined) assigned.set(slot, [value]);
    else values.push(value);
  };
  const mark = (node: Node): void => {
    if (node.live) return;
    node.live = true;
    live.push(node);
    open.push(node);
  };
  eachItem(root, (item) => collect(item, note, mark, loads));
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    node.args.forEach(mark);
    assigned.get(node)?.forEach(mark);
    const load = loads.get(node);
    if (load !== undefined) mark(load.addr);
  }
  return live;
}

function collect(
  item: Item,
  note: (set: Assignment) => void,
  mark: (node: Node) => void,
  loads: Map<Node, LoadItem>,
): void {
  switch (item.kind) {
    case "store":
      mark(item.addr);
      mark(item.value);
      return;
    case "fill":
      return mark(item.addr);
    case "if":
      return mark(item.cond);
    case "load":
      loads.set(item.node, item);
      return;
    case "loop":
      if (item.cond !== undefined) mark(item.cond);
      for (const { slot, init, next } of item.phis) {
        note({ slot, value: init });
        note({ slot, value: next });
      }
      item.exitSets.forEach(note);
      return;
    case "jump":
    case "set":
      return item.sets.forEach(note);
    case "scope":
      return;
  }
}
