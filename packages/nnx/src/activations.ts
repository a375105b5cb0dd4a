/** Activation functions, under the names of jax.nn. */
import { asTensor } from "@jnx/tensor/internal";
import type { Tensor, TensorLike } from "@jnx/tensor";

export {
  celu,
  elu,
  glu,
  hardSigmoid,
  hardSilu,
  hardSilu as hardSwish,
  hardTanh,
  mish,
  selu,
  squareplus,
  standardize,
  gelu,
  leakyRelu,
  logSigmoid,
  logSoftmax,
  logsumexp,
  oneHot,
  relu,
  relu6,
  sigmoid,
  silu,
  silu as swish,
  softmax,
  softplus,
  softSign,
  tanh,
} from "@jnx/tensor";

/**
 * x as it is. Source: jax.nn.identity.
 * @example await nnx.identity(array([1, 2])).toArray(); // [1, 2]
 */
export function identity(x: TensorLike): Tensor {
  return asTensor(x, "identity");
}
