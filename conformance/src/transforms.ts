import { jvp, vmap } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import { generator, sample, toTensor, ulps, type HostArray, type Row } from "@jnx/testing/table";
import { stack, type Tensor } from "@jnx/tensor";

/** Where a compiler contracts a product and a sum the last digits differ; cancellation makes more of it. */
const CONTRACTION = 4;
/** The step of differences: oracles are float64. */
const STEP = 1e-5;
const TOLERANCE = 3e-4;

/** A compiled function gives what the eager one gives. */
export async function checkJit(row: Row, operands: readonly Tensor[]): Promise<number> {
  const run = (...xs: Tensor[]): Tensor => row.run(...xs);
  return same("compiled", jit(run)(...operands), run(...operands));
}

/** A function over a batch gives what it gives for each example. */
export async function checkVmap(row: Row, examples: readonly (readonly Tensor[])[]): Promise<number> {
  const [first = []] = examples;
  const batch = first.map((_, k) => stack(examples.flatMap((example) => example[k] ?? [])));
  const together = vmap((...xs: Tensor[]) => row.run(...xs))(...batch);
  return same("batched", together, stack(examples.map((example) => row.run(...example))));
}

/** The derivative along a random direction is what differences of the oracle give. */
export async function checkJvp(
  row: Row,
  oracle: (...xs: HostArray[]) => HostArray,
  operands: readonly HostArray[],
  fixed: readonly (Tensor | undefined)[],
): Promise<number> {
  const next = generator(37);
  const directions = operands.map(({ shape }) => sample(shape, "float32", [-1, 1], next));
  const moving = operands.flatMap((_, k) => (fixed[k] === undefined ? [k] : []));
  const f = (...xs: Tensor[]): Tensor => {
    const given = [...xs];
    return row.run(
      ...operands.map((_, k) => fixed[k] ?? given.shift() ?? toTensor({ shape: [], data: [0] }, "float32")),
    );
  };
  const pick = (some: readonly HostArray[]): Tensor[] =>
    moving.map((k) => toTensor(some[k] ?? { shape: [], data: [0] }, "float32"));
  const [, tangent] = jvp(f, pick(operands), pick(directions));
  const at = (size: number): HostArray =>
    oracle(...operands.map((x, k) => (fixed[k] === undefined ? moved(x, directions[k], size) : x)));
  const [above, below] = [at(STEP), at(-STEP)];
  const got = await tangent.data();
  above.data.forEach((high, k) => {
    const wanted = (high - (below.data[k] ?? 0)) / (2 * STEP);
    const found = got[k] ?? NaN;
    if (!(Math.abs(found - wanted) <= TOLERANCE * (1 + Math.abs(wanted))))
      throw new Error(`element ${k} of the tangent: ${found}, differences of the oracle give ${wanted}`);
  });
  return 0;
}

function moved(x: HostArray, direction: HostArray | undefined, size: number): HostArray {
  return { shape: x.shape, data: x.data.map((value, k) => value + size * (direction?.data[k] ?? 0)) };
}

/** The same elements in the other order: another example of a batch. */
export function reversed({ shape, data }: HostArray): HostArray {
  return { shape, data: [...data].reverse() };
}

async function same(what: string, ours: Tensor, eager: Tensor): Promise<number> {
  if (ours.dtype !== eager.dtype || ours.shape.join() !== eager.shape.join())
    throw new Error(`${what} ${ours.toString()}, eager ${eager.toString()}`);
  const [x, y] = [await ours.data(), await eager.data()];
  let most = 0;
  y.forEach((value, k) => {
    const found = x[k] ?? NaN;
    const distance = eager.dtype === "float32" ? ulps(found, value) : found === value ? 0 : Infinity;
    if (distance > CONTRACTION && !(Math.abs(found - value) < 1e-6))
      throw new Error(`element ${k}: ${what} ${found}, eager ${value}`);
    if (distance <= CONTRACTION) most = Math.max(most, distance);
  });
  return most;
}
