import { ArgumentError, ShapeError, type Tensor } from "@jnx/tensor";
import { sameShape } from "@jnx/tensor/internal";
import { GraphError } from "../errors.ts";
import { pathText } from "../node.ts";
import { gather } from "./lift.ts";
import { placeOf, slotKey, type Lifted, type Run, type Slot } from "./lifted.ts";

/** The arrays of a carry that a step gave back; its objects must be those that were passed. */
export function carriedData(name: string, passed: unknown, returned: unknown): Tensor[] {
  const [before, after] = [gather(passed), gather(returned)];
  if (before.def.text !== after.def.text)
    throw new ArgumentError(
      `${name}: the carry's tree changes on the way, from ${before.def.text} to ${after.def.text}`,
    );
  return after.parts.flatMap((part, k) => {
    const was = before.parts[k];
    if (part.kind === "data" && was?.kind === "data") return [part.tensor];
    if (part.kind !== "data" && was !== undefined && was.kind !== "data" && was.value === part.value) return [];
    const at = part.path.length === 0 ? "the carry" : `the carry at "${pathText(part.path)}"`;
    throw new GraphError(
      `${name}: carry references must be the same at every step, but ${at} is another object; write into the object that was passed, and return it`,
    );
  });
}

/** A carry keeps its shape and dtype. */
export function sameKind(name: string, slot: Slot, before: Tensor, after: Tensor): Tensor {
  const [was, is] = [before, after].map(({ dtype, shape }) => `${dtype}[${shape.join(", ")}]`);
  if (!sameShape(before.shape, after.shape) || (before.dtype !== after.dtype && !before.weak))
    throw new ShapeError(`${name}: the carry ${placeOf(slot)} changes on the way, from ${was} to ${is}`);
  return after;
}

/** Throws if a run gave its arguments new parts: where a function runs many times, or not at all, there is no place for them. */
export function checkSameStructure({ name, cells }: Lifted, run: Run): void {
  const known = new Set(cells.map(({ variable }) => variable));
  for (const slot of run.slots) {
    if (slot.side === "result" || slot.cell?.variable === undefined || known.has(slot.cell.variable)) continue;
    throw new GraphError(`${name}: ${placeOf(slot)} is new, but the structure must stay as it is; make it before`);
  }
  const [other] = run.others;
  if (other === undefined) return;
  throw new GraphError(
    `${name}: "${pathText(other.cell.path)}" holds no array and is given another value, which would be part of the structure; use an array`,
  );
}

/** Outputs for the slots of a run, given the last value of every input and the arrays of the result. */
export function lastOutputs(lifted: Lifted, run: Run, ends: readonly Tensor[], data: readonly Tensor[]): Tensor[] {
  const byKey = new Map(lifted.inputs.map((slot, k) => [slotKey(slot), ends[k]]));
  const queue = [...data];
  return run.slots.map((slot) => {
    const output = slot.side === "result" ? queue.shift() : byKey.get(slotKey(slot));
    if (output !== undefined) return output;
    throw new Error(`jnx internal error: ${lifted.name} has fewer outputs than places`);
  });
}
