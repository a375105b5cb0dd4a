import { ArgumentError } from "@jnx/tensor";
import { state as stateOf } from "../graph.ts";
import type { Initializer } from "../initializers.ts";
import { toPureDict, type PureDict } from "../pure-dict.ts";
import { isVariable, type Metadata } from "../variable.ts";
import { withMetadata } from "../variable-metadata.ts";

/** The key under which Flax's transforms find the name of a mapped axis. Source: flax.nnx.PARTITION_NAME. */
export const PARTITION_NAME = "partition_name";

function oneDevice(name: string, remedy: string): never {
  throw new ArgumentError(`${name}: there is one WebGPU device, so nothing can be spread over several; ${remedy}`);
}

/**
 * Refuses: there is one WebGPU device. `vmap` maps over an axis on it.
 * @throws ArgumentError, always. Source: flax.nnx.pmap.
 * @example typeof nnx.pmap; // "function"
 */
export function pmap(..._args: readonly unknown[]): never {
  return oneDevice("pmap", "use nnx.vmap, which maps over an axis on the one device");
}

/**
 * Refuses: there is one WebGPU device.
 * @throws ArgumentError, always. Source: flax.nnx.shard_map.
 * @example typeof nnx.shardMap; // "function"
 */
export function shardMap(..._args: readonly unknown[]): never {
  return oneDevice("shardMap", "call the function itself, with whole arrays");
}

/**
 * Refuses: there is one WebGPU device.
 * @throws ArgumentError, always. Source: flax.nnx.get_named_sharding.
 * @example typeof nnx.getNamedSharding; // "function"
 */
export function getNamedSharding(..._args: readonly unknown[]): never {
  return oneDevice("getNamedSharding", "nnx.getPartitionSpec shows the names that Variables carry");
}

/**
 * An initializer whose Variables carry the names of their axes, which nothing here looks at: there is one device.
 * Source: flax.nnx.with_partitioning.
 *
 * @example
 * const kernelInit = nnx.withPartitioning(nnx.initializers.ones, [null, "model"]);
 * new nnx.Linear(2, 3, { kernelInit, rngs: new nnx.Rngs(0) }).kernel.metadata; // { outSharding: [null, "model"] }
 */
export function withPartitioning(
  initializer: Initializer,
  sharding: readonly (string | null)[],
  metadata: Metadata = {},
): Initializer {
  return withMetadata(initializer, { ...metadata, outSharding: sharding });
}

/**
 * The names that `withPartitioning` gave the axes of an object's Variables, nested as the object is; null for those
 * without. Source: flax.nnx.get_partition_spec.
 *
 * @example
 * const kernelInit = nnx.withPartitioning(nnx.initializers.ones, [null, "model"]);
 * nnx.getPartitionSpec(new nnx.Linear(2, 3, { kernelInit, rngs: new nnx.Rngs(0) })); // { bias: null, kernel: [null, "model"] }
 */
export function getPartitionSpec(node: object): PureDict {
  return toPureDict(stateOf(node), (leaf) => (isVariable(leaf) ? leaf.getMetadata("outSharding", null) : null));
}
