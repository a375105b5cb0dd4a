/** The single operations in jnx. */
import type { Tensor } from "jnx";
import { chainLength } from "../../tasks/ops.ts";
import type { OpTable } from "../engine.ts";
import type { Jnx } from "./engine.ts";

type Op = (...args: Tensor[]) => Tensor;

export function operations({ jax, jnp, nn, random }: Jnx): OpTable<Op> {
  const pointwise = (x: Tensor): Tensor =>
    jnp.add(jnp.multiply(jnp.tanh(jnp.add(jnp.multiply(x, 1.5), 0.5)), x), jnp.maximum(x, 0));
  const layerNorm = (x: Tensor, scale: Tensor, bias: Tensor): Tensor => {
    const mean = jnp.mean(x, { axis: -1, keepdims: true });
    const centred = jnp.subtract(x, mean);
    const variance = jnp.mean(jnp.square(centred), { axis: -1, keepdims: true });
    return jnp.add(jnp.multiply(jnp.divide(centred, jnp.sqrt(jnp.add(variance, 1e-5))), scale), bias);
  };
  const chain = (x: Tensor, c: Tensor): Tensor => {
    let out = x;
    for (let link = 0; link < chainLength; link++) out = jnp.add(out, c);
    return out;
  };
  const key = random.PRNGKey(0);
  const matmul = { f: jax.jit((a: Tensor, b: Tensor) => jnp.matmul(a, b)), args: ["a", "b"] };
  return {
    "T1.256": matmul,
    "T1.512": matmul,
    "T1.1024": matmul,
    T2: { ...matmul, args: ["a", "x"] },
    T3: { f: jax.jit(pointwise), args: ["x"] },
    T3e: { f: pointwise, args: ["x"] },
    T4: { f: jax.jit((x: Tensor) => nn.softmax(x, { axis: -1 })), args: ["x"] },
    T5: { f: jax.jit(layerNorm), args: ["x", "scale", "bias"] },
    T6: { f: jax.jit((x: Tensor) => jnp.sum(x)), args: ["x"] },
    T10: { f: chain, args: ["x", "c"] },
    T11: { f: jax.jit(() => random.normal(key, [2 ** 20])), args: [] },
    T12: { f: jax.jit((x: Tensor) => jnp.transpose(x)), args: ["x"] },
    T13: { f: jax.jit((table: Tensor, idx: Tensor) => jnp.take(table, idx, { axis: 0 })), args: ["table", "idx"] },
    T14: { f: jax.jit((x: Tensor) => jnp.sort(x)), args: ["x"] },
  };
}
