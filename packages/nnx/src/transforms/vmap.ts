import { Batch, batchExtent, batchFirst, placed, type MappedLeaf } from "@jnx/autodiff/internal";
import { ArgumentError, type Tensor } from "@jnx/tensor";
import { withLevel, type AnyFunction, checkKeys } from "@jnx/tensor/internal";
import { axisOf, Carry, checkAliasing, type Asked, type Axis, type LiftedAxes } from "./axes.ts";
import { checkUnbound } from "./lift.ts";
import { callLifted, Lifted, placeOf, type Run, type Slot } from "./lifted.ts";
import { named, type TransformMetadata } from "./metadata.ts";

/** Options of `vmap`. */
export interface VmapOptions {
  /** The batch axis of each argument: one for all (0 unless given), or a list with a number, null, StateAxes or tree for each. */
  readonly inAxes?: LiftedAxes;
  /** Where the batch goes in the result; 0 unless given. What comes back as it was passed needs the axes it was passed with. */
  readonly outAxes?: LiftedAxes;
  /** The batch's size; needed only when nothing is mapped, as when objects are made. */
  readonly axisSize?: number;
  /** A name by which `psum`, `axisIndex` and the like reach the other examples. */
  readonly axisName?: string;
  /** The mapped axis' name in the Variables' metadata, `{ [nnx.PARTITION_NAME]: "layers" }`: see {@link transformMetadata}. */
  readonly transformMetadata?: TransformMetadata;
}

/**
 * `f` for every example of a batch at once, over objects: a number maps all data of an object along that axis, null
 * shares it, StateAxes says which Variables do what. Objects come back with the axes they went in with: what f writes
 * into a mapped Variable is written for each example, and into a shared one only what is the same for all. Objects that
 * f makes have their data stacked; split their random streams first with `splitRngs`.
 *
 * @throws ShapeError when sizes differ, GraphError when StateAxes leave a Variable out or one Variable is passed with
 * different axes, ArgumentError when a shared Variable is given what differs between examples or axes do not fit.
 * Source: flax.nnx.vmap.
 * @example
 * const make = nnx.splitRngs((rngs: nnx.Rngs) => nnx.vmap((one: nnx.Rngs) => new MLP({ rngs: one }))(rngs), { splits: 5 });
 * const ensemble = make(new nnx.Rngs(0));
 * ensemble.hidden.kernel.shape; // [5, 2, 4]
 * const each = nnx.vmap((net: MLP, x: Tensor) => net.call(x), { inAxes: [0, null] });
 * each(ensemble, x).shape; // [5, 3, 1]
 */
export function vmap<F extends AnyFunction>(
  f: F,
  options: VmapOptions = {},
): (...args: Parameters<F>) => ReturnType<F> {
  checkKeys("vmap", options, "inAxes outAxes axisSize axisName transformMetadata");
  checkUnbound("vmap", f);
  const { axisSize } = options;
  if (axisSize !== undefined && (!Number.isInteger(axisSize) || axisSize < 0))
    throw new ArgumentError(`vmap: axisSize must be a whole number ≥ 0, received ${axisSize}`);
  const { inAxes = 0, outAxes = 0, transformMetadata: names } = options;
  const body = names === undefined ? f : named("vmap", f, inAxes, outAxes, names);
  const wrapped = (...args: unknown[]): unknown => {
    const lifted = new Lifted("vmap", args);
    return callLifted(lifted, () => run(body, options, lifted, args));
  };
  return wrapped as (...args: Parameters<F>) => ReturnType<F>; // f's own trees, with a batch axis in the data
}

function run(f: AnyFunction, options: VmapOptions, lifted: Lifted, args: readonly unknown[]): unknown {
  const { inAxes: ins = 0, outAxes: outs = 0 } = options;
  const inAxes: Asked = { name: "vmap", option: "inAxes", axes: ins };
  const outAxes: Asked = { name: "vmap", option: "outAxes", axes: outs };
  checkCount(inAxes.axes, args);
  checkAliasing(inAxes, args, "argument ");
  const leaves = lifted.inputs.map((slot): MappedLeaf => {
    return { leaf: slot.tensor, axis: mappedAxis(inAxes, slot), path: placeOf(slot) };
  });
  const batches = leaves.map((leaf) => batchFirst("vmap", leaf));
  const level = new Batch("vmap", batchExtent("vmap", leaves, batches, options.axisSize), options.axisName);
  const examples = lifted.tensors.map((tensor, k) => {
    const batch = batches[k];
    return batch === undefined ? tensor : level.example(batch);
  });
  const ran = withLevel(level, () => lifted.run(f, examples));
  // The function may have given its arguments new parts.
  checkAliasing(outAxes, ran.returned, "result ", checkAliasing(inAxes, args, "argument "));
  return lifted.finish(ran, outputsOf(level, ran, inAxes, outAxes));
}

function outputsOf(level: Batch, ran: Run, inAxes: Asked, outAxes: Asked): Tensor[] {
  return ran.slots.map((slot) => {
    const axis = mappedAxis(slot.side === "argument" ? inAxes : outAxes, slot);
    if (axis === null && slot.cell !== undefined && level.physical(slot.tensor) !== undefined)
      throw new ArgumentError(
        `vmap: ${placeOf(slot)} is shared by all examples (its axis is null), but was given a value that differs between them; give it an axis, or write what is the same for all, such as its pmean`,
      );
    return placed(level, slot.tensor, axis);
  });
}

function mappedAxis(asked: Asked, slot: Slot): number | null {
  const axis: Axis = axisOf(asked, slot);
  if (axis !== Carry) return axis;
  throw new ArgumentError(`vmap: ${asked.option} has Carry, which is for scan; give a number or null`);
}

function checkCount(axes: LiftedAxes, args: readonly unknown[]): void {
  if (Array.isArray(axes) && axes.length !== args.length)
    throw new ArgumentError(
      `vmap: inAxes has ${axes.length} entries, the function was called with ${args.length} arguments; give one for each`,
    );
}
