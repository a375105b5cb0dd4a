import { add, astype, DtypeError, mul, Tensor, where } from "@jnx/tensor";
import { GraphError } from "../errors.ts";
import type { Filter } from "../filter.ts";
import { split, state } from "../graph.ts";
import { merge } from "../merge.ts";
import { pathText, type Path } from "../node.ts";
import { Pytree } from "../pytree.ts";
import { fromFlatState, mergeState, toFlatState, type State } from "../state.ts";
import { isVariable, makeLike, readValue, type Variable } from "../variable.ts";
import { checkKeys } from "@jnx/tensor/internal";

/**
 * The running mean of a model's Variables: ema ← decay · ema + (1 − decay) · new. `applyTo` gives a model that uses it
 * and follows later updates. Source: flax.nnx.EMA.
 *
 * @throws DtypeError for a leaf that is no Variable of an array; GraphError when an update's paths differ.
 * @example
 * const ema = new nnx.EMA(model, 0.9, { only: nnx.Param });
 * ema.update(model);
 * ema.applyTo(model).out.kernel === model.out.kernel; // false
 */
export class EMA extends Pytree {
  readonly decay: number;
  readonly filter: Filter;
  readonly params: State;

  constructor(params: object, decay: number, options: { readonly only?: Filter } = {}) {
    checkKeys("EMA", options, "only");
    super();
    this.decay = decay;
    this.filter = options.only ?? "...";
    this.params = fromFlatState(
      flatVariables(params, this.filter).map(([path, variable]) => {
        const value = readValue(variable);
        return [path, makeLike(variable, where(true, value, value))];
      }),
    );
  }

  /** Takes the values of an object, or of a State like the one that was given, into the mean. */
  update(updates: object): void {
    const next = new Map(flatVariables(updates, this.filter).map(([path, variable]) => [pathText(path), variable]));
    const own = flatVariables(this.params, "...");
    const missing = own.filter(([path]) => !next.has(pathText(path)));
    if (missing.length > 0 || next.size !== own.length)
      throw new GraphError(
        `EMA.update: expected ${own.length} Variables, received ${next.size}; missing: ${missing.map(([path]) => `"${pathText(path)}"`).join(", ") || "none"}; update with the kind of object that the EMA was made of`,
      );
    for (const [path, variable] of own) {
      const from = next.get(pathText(path));
      if (from === undefined) continue;
      const old = readValue(variable);
      variable.value = astype(add(mul(this.decay, old), mul(1 - this.decay, readValue(from))), old.dtype);
    }
  }

  /** A model like the one given, whose Variables at the mean's paths are the mean's own. */
  applyTo<M extends object>(model: M): M {
    const [graphdef, all] = split(model);
    return merge(graphdef, mergeState(all, this.params));
  }
}

function flatVariables(source: object, filter: Filter): (readonly [Path, Variable])[] {
  const found: State = state(source, filter);
  return toFlatState(found).map(([path, leaf]) => {
    if (isVariable(leaf) && readValue(leaf) instanceof Tensor) return [path, leaf as Variable]; // it holds a Tensor
    throw new DtypeError(
      `EMA: "${pathText(path)}" is no Variable that holds an array; select Variables with { only: nnx.Param }`,
    );
  });
}
