/** jax.nn: activations and what normalizes. */
export {
  elu,
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
  softmax,
  softplus,
  softSign,
  tanh,
} from "@jnx/tensor";
