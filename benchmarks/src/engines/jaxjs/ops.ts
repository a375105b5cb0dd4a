/** The single operations in jax-js. */
import type * as Jax from "@jax-js/jax";
import { chainLength } from "../../tasks/ops.ts";
import type { OpTable } from "../engine.ts";
import type { Arr } from "./arrays.ts";

type Op = (...args: Arr[]) => Arr;

export function operations(jax: typeof Jax): OpTable<Op> {
  const np = jax.numpy;
  const pointwise: Op = (x) => np.add(np.tanh(x.ref.mul(1.5).add(0.5)).mul(x.ref), np.maximum(x, 0));
  const layerNorm: Op = (x, scale, bias) => {
    const mean = np.mean(x.ref, -1, { keepdims: true });
    const centred = x.sub(mean);
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    return centred
      .div(np.sqrt(variance.add(1e-5)))
      .mul(scale)
      .add(bias);
  };
  const chain: Op = (x, c) => {
    let out = x;
    for (let link = 0; link < chainLength; link++) out = np.add(out, c.ref);
    c.dispose();
    return out;
  };
  const key = jax.random.key(0);
  const matmul = { f: jax.jit((a: Arr, b: Arr) => np.matmul(a, b)), args: ["a", "b"] };
  return {
    "T1.256": matmul,
    "T1.512": matmul,
    "T1.1024": matmul,
    T2: { ...matmul, args: ["a", "x"] },
    T3: { f: jax.jit(pointwise), args: ["x"] },
    T3e: { f: pointwise, args: ["x"] },
    T4: { f: jax.jit((x: Arr) => jax.nn.softmax(x, -1)), args: ["x"] },
    T5: { f: jax.jit(layerNorm), args: ["x", "scale", "bias"] },
    T6: { f: jax.jit((x: Arr) => np.sum(x)), args: ["x"] },
    T10: { f: chain, args: ["x", "c"] },
    T11: { f: jax.jit(() => jax.random.normal(key.ref, [2 ** 20])), args: [] },
    T12: { f: jax.jit((x: Arr) => np.transpose(x)), args: ["x"] },
    T13: { f: jax.jit((table: Arr, idx: Arr) => np.take(table, idx, 0)), args: ["table", "idx"] },
    T14: { f: jax.jit((x: Arr) => np.sort(x)), args: ["x"] },
  };
}
