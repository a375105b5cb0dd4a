import { zeroOf } from "@jnx/autodiff/internal";
import { isFloat, literal, type CallPullback } from "@jnx/tensor/internal";
import { add, type Aval, type Tensor } from "@jnx/tensor";
import { readsOf, type Branch, type CondSpec } from "./branch.ts";
import { evaluateNodes } from "./closed.ts";
import { jointOf, type Joint } from "./joint.ts";
import { typeText } from "./trees.ts";

/** Traces one body for each branch and binds the choice: cond-op.ts has it. */
type BindCond = (
  name: string,
  index: Tensor,
  operands: readonly Tensor[],
  bodies: readonly ((operands: Tensor[]) => readonly Tensor[])[],
) => readonly Tensor[];

interface BranchBack {
  readonly branch: Branch;
  readonly joint: Joint;
  /** Which of the branch's inputs want a cotangent, as places among the operands. */
  readonly gives: readonly number[];
  /** The place of each residual among those of all branches. */
  readonly places: readonly number[];
}

/**
 * The gradient of a choice is the same choice among the branches' ways back. What they need of the way there is stored by
 * the branch that was taken; residuals of one type share a place.
 */
export function condPullback(
  { name, branches, avals }: CondSpec,
  index: Tensor,
  operands: readonly Tensor[],
  needs: readonly boolean[],
  bindCond: BindCond,
): CallPullback {
  const wanted = operands.map((x, k) => needs[k] === true && isFloat(x.dtype));
  const { backs, slots } = waysBack(name, branches, operands, wanted);
  const gap = avals.filter(({ dtype }) => isFloat(dtype)).map((): undefined => undefined);
  const there = bindCond(
    name,
    index,
    operands,
    backs.map(({ branch, joint, places }) => (symbols: Tensor[]) => {
      const nodes = [...joint.forward, ...joint.residuals];
      const values = evaluateNodes(nodes, [...readsOf(branch, symbols), ...gap, ...joint.lifted]);
      const kept = slots.map(({ shape, dtype }) => literal(0, shape, dtype));
      places.forEach((place, k) => (kept[place] = values[avals.length + k] ?? fail()));
      return [...values.slice(0, avals.length), ...kept];
    }),
  );
  const [outputs, residuals] = [there.slice(0, avals.length), there.slice(avals.length)];
  return {
    outputs,
    residuals: [index, ...operands, ...residuals],
    pull: (cts) => {
      const given = outputs.flatMap((output, k) => (isFloat(output.dtype) ? [cts[k] ?? zeroOf(output)] : []));
      const bodies = backs.map((back) => (symbols: Tensor[]) => pulled(back, operands, wanted, given.length, symbols));
      const parts = [...bindCond(name, index, [...operands, ...given, ...residuals], bodies)];
      return [undefined, ...wanted.map((is) => (is ? parts.shift() : undefined))];
    },
  };
}

function waysBack(
  name: string,
  branches: readonly Branch[],
  operands: readonly Tensor[],
  wanted: readonly boolean[],
): { backs: BranchBack[]; slots: Aval[] } {
  const slots: Aval[] = [];
  const backs = branches.map((branch): BranchBack => {
    const rows = readsOf(branch, operands);
    const own = readsOf(branch, wanted);
    const joint = jointOf(name, branch.graph, rows, own, { lost: 0, moving: rows.length });
    const taken = new Set<number>();
    const places = joint.residuals.map((node) => {
      const free = slots.findIndex((slot, k) => !taken.has(k) && typeText(slot) === typeText(node));
      const place = free >= 0 ? free : slots.push({ shape: node.shape, dtype: node.dtype, weak: false }) - 1;
      taken.add(place);
      return place;
    });
    return { branch, joint, places, gives: branch.reads.filter((_, k) => own[k]) };
  });
  return { backs, slots };
}

/** The cotangents of the operands that want one, through one branch; `symbols` are operands, cotangents and residuals. */
function pulled(
  { branch, joint, gives, places }: BranchBack,
  operands: readonly Tensor[],
  wanted: readonly boolean[],
  cts: number,
  symbols: readonly Tensor[],
): Tensor[] {
  const kept = symbols.slice(operands.length + cts);
  const known = new Map(joint.residuals.map((node, k) => [node, kept[places[k] ?? -1] ?? fail()] as const));
  const inputs = [
    ...readsOf(branch, symbols),
    ...symbols.slice(operands.length, operands.length + cts),
    ...joint.lifted,
  ];
  const gradients = evaluateNodes(joint.back, inputs, known);
  const sums = new Map<number, Tensor>();
  gives.forEach((place, k) => {
    const [before, part] = [sums.get(place), gradients[k] ?? fail()];
    sums.set(place, before === undefined ? part : add(before, part));
  });
  return operands.flatMap((x, place) => (wanted[place] === true ? [sums.get(place) ?? zeroOf(x)] : []));
}

function fail(): never {
  throw new Error("jnx internal error: a branch lacks a value");
}
