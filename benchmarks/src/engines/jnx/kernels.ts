/** The kernels of `tasks/kernels.ts` in jnx. */
import type { Tensor } from "jnx";
import { need, type OpTable } from "../engine.ts";
import type { Jnx } from "./engine.ts";

export function kernelOperations({ jax, jnp, lax, nn }: Jnx): OpTable<(...args: Tensor[]) => Tensor> {
  const dimensionNumbers = ["NHWC", "HWIO", "NHWC"] as const;
  const conv = (x: Tensor, k: Tensor, b: Tensor): Tensor =>
    jnp.add(lax.convGeneralDilated(x, k, { padding: "SAME", dimensionNumbers }), b);
  const attend = (qkv: Tensor): Tensor => {
    const [q, k, v] = jnp.split(qkv, 3, { axis: -1 }).map((x) => jnp.reshape(x, [1, -1, 4, 64]));
    return nn.dotProductAttention(need(q, "q"), need(k, "k"), need(v, "v"), { isCausal: true });
  };
  return {
    "elementwise/add": { f: jax.jit((x: Tensor, y: Tensor) => jnp.add(x, y)), args: ["x", "y"] },
    "elementwise/exp": { f: jax.jit((x: Tensor) => jnp.exp(x)), args: ["x"] },
    "reduce/rows": { f: jax.jit((x: Tensor) => jnp.sum(x, { axis: 1 })), args: ["x"] },
    "reduce/columns": { f: jax.jit((x: Tensor) => jnp.sum(x, { axis: 0 })), args: ["x"] },
    "scan/cumsum": { f: jax.jit((x: Tensor) => jnp.cumsum(x, { axis: 1 })), args: ["x"] },
    "matmul/nt-512": { f: jax.jit((a: Tensor, b: Tensor) => jnp.matmul(a, jnp.transpose(b))), args: ["a", "b"] },
    "conv/3x3": { f: jax.jit(conv), args: ["x", "k", "b"] },
    "indexing/add": {
      f: jax.jit((x: Tensor, idx: Tensor, rows: Tensor) => x.at(idx).add(rows)),
      args: ["x", "idx", "rows"],
    },
    "attention/causal": { f: jax.jit(attend), args: ["qkv"] },
  };
}
