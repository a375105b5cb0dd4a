import { checkedBytes, checkElements, type Step } from "@jnx/tensor/internal";
import { DeviceError, type Limits } from "@jnx/tensor";
import { emitGroup } from "./emit.ts";
import { Fuser } from "./fuse.ts";
import { liveNodes, type Graph, type GraphNode } from "./graph.ts";
import type { Group } from "./group.ts";
import { Planner, type MemoryPlan } from "./plan.ts";

/** A graph as dispatches over numbered slots. */
export interface Built {
  readonly order: readonly Group[];
  /** The dispatches of each group, and the bytes of the slots that they pass on to each other. */
  readonly parts: readonly { readonly steps: readonly Step[]; readonly workspaces: ReadonlyMap<number, number> }[];
  readonly fuser: Fuser;
  readonly plan: MemoryPlan;
  readonly steps: readonly Step[];
  readonly slotCount: number;
  readonly temporaries: ReadonlyMap<number, number>;
}

/** With this many every op gets a kernel of its own. */
const FEWEST_BUFFERS = 2;

/** Ids of inputs whose buffers outputs may take over: any, or the one that it is mapped to. */
export type Donated = ReadonlySet<number> | ReadonlyMap<number, number>;

/**
 * Fuses, plans and links a graph. Needs no device. `early` hears of each kernel as soon as it is linked, so that a driver
 * can compile it while the rest is being made.
 */
export function planGraph(
  graph: Graph,
  donated: Donated,
  limits: Limits,
  early: (kernel: Step["kernel"]) => void = () => undefined,
): Built {
  for (const node of liveNodes(graph.outputs)) checkElements(nameOf(node), node);
  const most = limits.maxStorageBuffersPerShaderStage;
  const fit = (step: Step): boolean =>
    step.kernel.bindings.filter((binding) => binding.access !== "uniform").length <= most;
  const fits = ({ steps }: Built): boolean => steps.every(fit);
  let built = attempt(graph, donated, new Set(donated.keys()), limits, most, (step) => fit(step) && early(step.kernel));
  // Take-overs that the fuser counted on may not come about, and an operand read in two widths is bound twice:
  // fuse again, counting on less.
  for (let buffers = most; !fits(built) && buffers >= FEWEST_BUFFERS; buffers--)
    built = attempt(graph, donated, new Set(), limits, buffers);
  if (fits(built)) return built;
  throw new DeviceError(
    `jit: a kernel needs more than the ${most} storage buffers (maxStorageBuffersPerShaderStage) that this device binds`,
  );
}

/** What a value is called in errors: the op that makes it. */
function nameOf(node: GraphNode): string {
  return node.kind === "op" ? node.op.name : "jit";
}

function attempt(
  graph: Graph,
  donated: Donated,
  counted: ReadonlySet<number>,
  limits: Limits,
  buffers: number,
  linked?: (step: Step) => void,
): Built {
  const fuser = new Fuser(graph, limits, buffers, counted);
  const order = fuser.schedule();
  const plan = new Planner(
    graph,
    fuser,
    order,
    new Set(donated.keys()),
    donated instanceof Map ? donated : undefined,
  ).plan();
  for (const id of plan.slots.keys()) {
    const node = graph.nodes[id];
    if (node !== undefined) checkedBytes(nameOf(node), "a result", node, limits);
  }
  const workspaces = new Workspaces(plan.slotCount);
  const parts = order.map((group) => {
    workspaces.reset();
    const context = { inliner: fuser.inliner, plan, limits, workspace: (bytes: number) => workspaces.take(bytes) };
    const made = emitGroup(group, context);
    if (linked !== undefined) made.forEach(linked);
    return { steps: made, workspaces: workspaces.taken };
  });
  return {
    order,
    fuser,
    plan,
    parts,
    steps: parts.flatMap(({ steps }) => steps),
    slotCount: workspaces.end,
    temporaries: new Map([...plan.temporaries, ...workspaces.slots]),
  };
}

/** Memory between the stages of one group; the next group uses it again. */
class Workspaces {
  readonly slots = new Map<number, number>();
  /** Those of the present group, with the bytes that it asked for. */
  taken = new Map<number, number>();
  readonly #first: number;

  constructor(first: number) {
    this.#first = first;
  }

  get end(): number {
    return this.#first + this.slots.size;
  }

  reset(): void {
    this.taken = new Map();
  }

  take(bytes: number): number {
    const slot = this.#first + this.taken.size;
    this.taken.set(slot, bytes);
    this.slots.set(slot, Math.max(bytes, this.slots.get(slot) ?? 0));
    return slot;
  }
}
