import { grad } from "@jnx/autodiff";
import { add, mul, sum, type Tensor } from "@jnx/tensor";
import type { HostArray } from "./reference.ts";
import { generator, sample, toTensor } from "./samples.ts";

export interface GradCheck {
  run(...operands: Tensor[]): Tensor;
  oracle(...operands: HostArray[]): HostArray;
  readonly operands: readonly HostArray[];
  /** Operands that are not float: handed to `run` as they are, without a gradient. */
  readonly fixed?: readonly (Tensor | undefined)[];
  /** 2 checks the gradient of the gradient as well. */
  readonly order: 1 | 2;
}

/** Steps of the differences: the oracle is float64, so that they can be small. */
const STEP = 1e-5;
const STEP2 = 1e-3;
const TOLERANCE = 2e-4;
const TOLERANCE2 = 2e-3;

/**
 * Throws unless the device's gradient of Σ w·f(x), for a random w, agrees with central differences of the float64 oracle in a
 * random direction v; then, for order 2, the gradient of ⟨gradient, u⟩ with mixed differences.
 */
export async function gradcheck(check: GradCheck): Promise<void> {
  const next = generator(31);
  const { operands, fixed = [] } = check;
  const moving = operands.flatMap((_, k) => (fixed[k] === undefined ? [k] : []));
  const out = check.oracle(...operands);
  const weights = sample(out.shape, "float32", [0.5, 1.5], next);
  const direction = (): HostArray[] => operands.map(({ shape }) => sample(shape, "float32", [-1, 1], next));
  const [u, v] = [direction(), direction()];
  const loss: Loss = (steps) => {
    const moves = (k: number): [HostArray | undefined, number][] => steps.map(([towards, size]) => [towards[k], size]);
    return dot(check.oracle(...operands.map((x, k) => (fixed[k] === undefined ? step(x, moves(k)) : x))), weights);
  };
  const tensors = operands.map((x, k) => fixed[k] ?? toTensor(x, "float32"));
  const weight = toTensor(weights, "float32");
  const value = (...xs: Tensor[]): Tensor => sum(mul(check.run(...xs), weight));
  const slope = grad(value, { argnums: moving });
  const gradients = slope(...tensors);
  const wanted = (loss([[v, STEP]]) - loss([[v, -STEP]])) / (2 * STEP);
  const directions = moving.map((k) => v[k]);
  await expectDirectional("gradient", gradients, directions, wanted, TOLERANCE);
  if (check.order === 1) return;
  const towards = moving.map((k) => toTensor(u[k] ?? { shape: [], data: [0] }, "float32"));
  const along = (...xs: Tensor[]): Tensor => total(slope(...xs).map((g, k) => sum(mul(g, towards[k] ?? 0))));
  const second = grad(along, { argnums: moving })(...tensors);
  await expectDirectional("second gradient", second, directions, mixed(loss, u, v), TOLERANCE2);
}

/** Σ w·f at the operands moved by so much along each direction. */
type Loss = (steps: readonly (readonly [HostArray[], number])[]) => number;

/** ∂²loss/∂u∂v by central differences. */
function mixed(loss: Loss, u: HostArray[], v: HostArray[]): number {
  const corner = (a: number, b: number): number =>
    loss([
      [v, a * STEP2],
      [u, b * STEP2],
    ]);
  return (corner(1, 1) - corner(1, -1) - corner(-1, 1) + corner(-1, -1)) / (4 * STEP2 * STEP2);
}

function step(x: HostArray, moves: readonly (readonly [HostArray | undefined, number])[]): HostArray {
  return {
    shape: x.shape,
    data: x.data.map((value, i) =>
      moves.reduce((at, [direction, size]) => at + size * (direction?.data[i] ?? 0), value),
    ),
  };
}

function dot(x: HostArray, y: HostArray): number {
  return x.data.reduce((all, value, i) => all + value * (y.data[i] ?? 0), 0);
}

function total(terms: readonly Tensor[]): Tensor {
  return terms.reduce((a, b) => add(a, b));
}

/** ⟨g, v⟩ over all operands, within the tolerance of its largest terms. */
async function expectDirectional(
  what: string,
  gradients: readonly Tensor[],
  directions: readonly (HostArray | undefined)[],
  wanted: number,
  tolerance: number,
): Promise<void> {
  let [found, scale] = [0, 0];
  for (const [k, gradient] of gradients.entries()) {
    const data = await gradient.data();
    const shape = directions[k]?.shape ?? [];
    if (gradient.shape.join() !== shape.join())
      throw new Error(`${what}: shape [${gradient.shape.join(", ")}], the operand has [${shape.join(", ")}]`);
    data.forEach((g, i) => {
      found += g * (directions[k]?.data[i] ?? 0);
      scale += Math.abs(g * (directions[k]?.data[i] ?? 0));
    });
  }
  if (Math.abs(found - wanted) <= tolerance * (scale + 0.1)) return;
  throw new Error(`${what}: ${found} along a random direction, differences of the oracle give ${wanted}`);
}
