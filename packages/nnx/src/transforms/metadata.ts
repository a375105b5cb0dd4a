import { ArgumentError, tree } from "@jnx/tensor";
import { checkKeys, type AnyFunction } from "@jnx/tensor/internal";
import { iterGraph } from "../graph-walk.ts";
import { isVariable, type AnyVariable, type Metadata } from "../variable.ts";
import { prefixAt, StateAxes, type Asked, type LiftedAxes } from "./axes.ts";
import { PARTITION_NAME } from "./devices.ts";
import { checkUnbound, isGraph } from "./lift.ts";

/** Names of the mapped axis by metadata entry: `{ [nnx.PARTITION_NAME]: "layers" }` for `outSharding`. */
export type TransformMetadata = Readonly<Record<string, string | null>>;

/** Options of `transformMetadata`. */
export interface TransformMetadataOptions {
  /** Where the mapped axis is in the arguments, as in `vmap`; 0 unless given. */
  readonly inAxes?: LiftedAxes;
  /** Where it goes in the result; 0 unless given. */
  readonly outAxes?: LiftedAxes;
  /** The axis' name. */
  readonly partition: string | null;
}

/**
 * `f` for use inside `vmap` or `scan`, which see one example or step at a time: on the way in the mapped axis' name is taken out
 * of the Variables' `outSharding`, on the way out it is put in again, also for Variables that f makes. Classes of Variables are
 * told by `addAxis` and `removeAxis`. Source: flax.nnx.transform_metadata.
 *
 * @throws ArgumentError when the axis has another name.
 * @example
 * const kernelInit = nnx.withPartitioning(nnx.initializers.ones, ["in", "out"]);
 * const make = nnx.transformMetadata((rngs: nnx.Rngs) => new nnx.Linear(2, 3, { kernelInit, rngs }), { inAxes: null, partition: "layers" });
 * const layers = nnx.vmap(make, { inAxes: null, axisSize: 5 })(new nnx.Rngs(0));
 * layers.kernel.getMetadata("outSharding"); // ["layers", "in", "out"]
 */
export function transformMetadata<F extends AnyFunction>(f: F, options: TransformMetadataOptions): F {
  checkKeys("transformMetadata", options, "inAxes outAxes partition");
  const { inAxes = 0, outAxes = 0, partition } = options;
  return named("transformMetadata", f, inAxes, outAxes, { [PARTITION_NAME]: partition });
}

/** As transformMetadata, for a transform's own option. */
export function named<F extends AnyFunction>(
  name: string,
  f: F,
  inAxes: LiftedAxes,
  outAxes: LiftedAxes,
  metadata: TransformMetadata,
): F {
  checkUnbound(name, f);
  if (!Object.hasOwn(metadata, PARTITION_NAME))
    throw new ArgumentError(
      `${name}: transformMetadata has no name for the axis; give { [nnx.PARTITION_NAME]: name }, received ${Object.keys(metadata).join(", ") || "none"}`,
    );
  const [ins, outs]: [Asked, Asked] = [
    { name, option: "inAxes", axes: inAxes },
    { name, option: "outAxes", axes: outAxes },
  ];
  const wrapped = (...args: unknown[]): unknown => {
    const before = axesOf(ins, args);
    // Checked for all before any is changed.
    const bare = [...before].map(([variable, axis]) => [variable, without(name, variable, axis, metadata)] as const);
    for (const [variable, entries] of bare) variable.setMetadata(entries);
    for (const [variable, axis] of before) variable.removeAxis(axis, metadata[PARTITION_NAME] ?? null);
    let given = before;
    try {
      const result: unknown = f(...args);
      given = axesOf(ins, args, before);
      const made = [...axesOf(outs, result)].filter(([variable]) => !given.has(variable));
      for (const [variable, axis] of made) put(variable, axis, metadata);
      return result;
    } finally {
      for (const [variable, axis] of given) put(variable, axis, metadata);
    }
  };
  return wrapped as F; // it takes and returns what f does
}

/** The Variables in values that are mapped, each with its axis. */
function axesOf(
  asked: Asked,
  values: unknown,
  known: ReadonlyMap<AnyVariable, number> = new Map(),
): Map<AnyVariable, number> {
  const found = new Map(known);
  const { leaves, paths } = tree.flattenWithPath(values, isGraph);
  leaves.forEach((leaf, k) => {
    if (!isGraph(leaf)) return;
    const prefix = prefixAt(asked, paths[k] ?? []);
    for (const [path, variable] of iterGraph(leaf)) {
      if (!isVariable(variable)) continue;
      const axis = prefix instanceof StateAxes ? prefix.axisOf(path, variable) : prefix;
      if (typeof axis === "number") found.set(variable, axis);
    }
  });
  return found;
}

/** The entries of a Variable's metadata that name axes, by the name of the mapped one. */
function entriesOf(
  variable: AnyVariable,
  metadata: TransformMetadata,
): [entry: string, names: unknown[], name: string | null][] {
  return Object.entries(metadata).flatMap(([key, name]) => {
    const entry = key === PARTITION_NAME ? "outSharding" : key;
    const names = variable.getMetadata(entry, null);
    return Array.isArray(names) ? [[entry, [...(names as unknown[])], name]] : []; // an array, as just seen
  });
}

function without(name: string, variable: AnyVariable, axis: number, metadata: TransformMetadata): Metadata {
  return Object.fromEntries(
    entriesOf(variable, metadata).map(([entry, names, wanted]) => {
      const position = axis < 0 ? names.length + axis : axis;
      const [removed] = names.splice(position, 1);
      if (removed === wanted) return [entry, names];
      throw new ArgumentError(
        `${name}: expected the axis ${axis} of a ${variable.type.name} to be "${String(wanted)}" in its ${entry}, which has "${String(removed)}" there; name it as it was when it was stacked`,
      );
    }),
  );
}

function put(variable: AnyVariable, axis: number, metadata: TransformMetadata): void {
  for (const [entry, names, name] of entriesOf(variable, metadata)) {
    const position = axis < 0 ? names.length + 1 + axis : axis;
    while (names.length < position) names.push(null);
    names.splice(position, 0, name);
    variable.setMetadata(entry, names);
  }
  variable.addAxis(axis, metadata[PARTITION_NAME] ?? null);
}
