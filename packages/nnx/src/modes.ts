import { ArgumentError } from "@jnx/tensor";

function only(name: string, value: boolean, remedy: string): void {
  if (!value) throw new ArgumentError(`${name}: there is one mode here, true; ${remedy}`);
}

/**
 * Takes `true`: objects are graphs here, always, with shared references and cycles. Flax's tree mode is not here; a model
 * without shared parts, which is all that it takes, works the same. Source: flax.nnx.set_graph_mode.
 *
 * @throws ArgumentError for false.
 * @example nnx.setGraphMode(true);
 */
export function setGraphMode(value: boolean): void {
  only("setGraphMode", value, "leave the call out: objects without shared parts are graphs, too");
}

/**
 * Takes `true`: what a transformed function does to the structure of its arguments is seen outside, always.
 * Source: flax.nnx.set_graph_updates.
 *
 * @throws ArgumentError for false.
 * @example nnx.setGraphUpdates(true);
 */
export function setGraphUpdates(value: boolean): void {
  only("setGraphUpdates", value, "to keep an object's structure as it is pass nnx.clone(object, { variables: false })");
}
