"""A model of the real Flax saved as safetensors by flat path, with an input and its output."""

import golden
import jax
import numpy as np
from flax import nnx
from safetensors.numpy import save_file


class Net(nnx.Module):
    def __init__(self, rngs):
        self.table = nnx.Embed(5, 4, rngs=rngs)
        self.layers = nnx.List([nnx.Linear(4, 4, rngs=rngs), nnx.LoRALinear(4, 3, lora_rank=2, rngs=rngs)])
        self.rnn = nnx.RNN(nnx.GRUCell(3, 2, rngs=rngs))

    def __call__(self, x):
        y = self.table(x)
        for layer in self.layers:
            y = nnx.relu(layer(y))
        return self.rnn(y)


def flat(module):
    state = nnx.to_flat_state(nnx.state(module, nnx.Param))
    return {".".join(map(str, path)): np.asarray(leaf[...]) for path, leaf in state}


def cases():
    net = Net(nnx.Rngs(77))
    x = np.array([[0, 4, 2], [1, 1, 3]], np.int32)
    save_file(flat(net), golden.FOLDER / "flax-model.safetensors")
    return {"x": x, "y": net(x)}


def check(path):
    """Loads a file that jnx wrote into the same model, and says whether it gives the same output."""
    from safetensors.numpy import load_file

    net, other = Net(nnx.Rngs(77)), Net(nnx.Rngs(1))
    loaded = load_file(path)
    state = nnx.state(other, nnx.Param)
    for key, leaf in nnx.to_flat_state(state):
        leaf[...] = loaded[".".join(map(str, key))]
    nnx.update(other, state)
    x = np.array([[0, 4, 2], [1, 1, 3]], np.int32)
    np.testing.assert_array_equal(np.asarray(net(x)), np.asarray(other(x)))
    print("the same output, bit for bit")


if __name__ == "__main__":
    import sys

    jax.config.update("jax_platforms", "cpu")
    check(sys.argv[1])
