import { exact_log, exact_log1p, op_fraction_from_bits, op_unit_from_bits } from "@jnx/kernels-wgsl";
import { setting } from "../../config.ts";
import { ArgumentError } from "../../errors.ts";
import type { MapContext } from "../../op.ts";
import { checkShape, type Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import type { TensorLike } from "../create.ts";
import { call, draw, drawing, gumbelOp, zero } from "./draw.ts";
import type { KeyArray } from "./key-array.ts";
import { checkedKey } from "./keys.ts";
import { checkOptions } from "../../options.ts";

const GUMBEL_OPTIONS = { mode: true } as const;

/** How many random bits a Gumbel number takes: 23, about 46, or 64. */
export type GumbelMode = "low" | "high" | "highest";

export interface GumbelOptions {
  /** "low" unless the switch jax_high_dynamic_range_gumbel says "high". */
  readonly mode?: GumbelMode;
}

/** −log(−log1p(−x)). */
function fromBelow(x: string, context: MapContext): string {
  const z = zero(context);
  return `(-${call(context, exact_log, `(-${call(context, exact_log1p, `(-${x})`, z)})`, z)})`;
}

const highOp = /* @__PURE__ */ drawing(
  "random_gumbel_high",
  "float32",
  ([first = "", second = ""], _rest, context) => {
    const [high, low] = [first, second].map((bits) => call(context, op_unit_from_bits, bits));
    const constant = (value: number): string => context.constant(value, "float32");
    const finer = `((${high} + ${constant(2 ** -23)} * ${low}) + ${constant(2 ** -126)})`;
    return fromBelow(`select(${finer}, ${high}, ${high} >= F(0.5))`, context);
  },
  "nondifferentiable",
  2,
);

const highestOp = /* @__PURE__ */ drawing(
  "random_gumbel_highest",
  "float32",
  ([high = "", low = ""], _rest, context) => {
    const x = call(context, op_fraction_from_bits, high, low);
    const z = zero(context);
    const above = `(-${call(context, exact_log, `(-${call(context, exact_log, `abs(${x})`, z)})`, z)})`;
    return `select(${above}, ${fromBelow(`abs(${x})`, context)}, ${x} > F(0.0))`;
  },
  "nondifferentiable",
  2,
);

const OPS = { low: gumbelOp, high: highOp, highest: highestOp };

/**
 * Gumbel with location 0 and scale 1: −log(−log u). Modes "high" and "highest" reach further into the upper tail, with
 * other numbers. Source: jax.random.gumbel.
 *
 * @throws ArgumentError when k is not one key, or for an unknown mode.
 * @example await random.gumbel(random.key(42), [2]).toArray(); // [0.33409, 0.95202]
 */
export function gumbel(k: TensorLike, shape: Shape = [], options: GumbelOptions = {}): Tensor {
  checkOptions("random.gumbel", options, GUMBEL_OPTIONS);
  const source = checkedKey("gumbel", k);
  return drawGumbel("gumbel", source, checkShape("random.gumbel", shape), options.mode);
}

export function drawGumbel(name: string, source: KeyArray, shape: Shape, mode: GumbelMode | undefined): Tensor {
  const chosen = mode ?? (setting("jax_high_dynamic_range_gumbel") ? "high" : "low");
  if (!Object.hasOwn(OPS, chosen))
    throw new ArgumentError(
      `random.${name}: mode must be one of ${Object.keys(OPS).join(", ")}, received ${JSON.stringify(mode)}`,
    );
  return draw(OPS[chosen], source, shape);
}
