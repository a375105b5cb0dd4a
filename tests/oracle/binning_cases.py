"""Histograms of points, masks, patches, and which casts are safe, in the form of structural_cases; numbers of their own."""

import jax.numpy as jnp
import numpy as np

RNG = np.random.default_rng(17)
DTYPES = "float32 int32 uint32 bool float16 bfloat16 int16 uint16 int8 uint8".split()


def floats(*shape):
    """None of them on an edge that is computed, for edges are rounded."""
    return (RNG.normal(size=shape) * 2).astype(np.float32)


def binning(c):
    x, y, w = floats(30), floats(30), floats(30)
    edges = np.array([-3, 0, 1, 4], np.float32)
    c("of 10 each", "jnp.histogram2d", x, y)
    c("of 3 and 4 in ranges", "jnp.histogram2d", x, y, bins=[3, 4], range=[[-2, 3], [0, 5]])
    c("of one list of edges", "jnp.histogram2d", x, y, bins=edges)
    c("of edges and of 5, weighted", "jnp.histogram2d", x, y, bins=[edges, 5], weights=w, grad=False)
    c("as densities", "jnp.histogram2d", x, y, bins=3, density=True, grad=False)
    points = floats(40, 3)
    c("of 2 each", "jnp.histogramdd", points, bins=2)
    c("of some in ranges", "jnp.histogramdd", points, bins=[2, 3, 1], range=[[-1, 1], None, [0, 4]])
    c("as weighted densities", "jnp.histogramdd", points, bins=2, weights=np.abs(floats(40)), density=True, grad=False)
    c("of one coordinate", "jnp.histogramdd", points[:, :1], bins=4)
    c("of ints", "jnp.histogramdd", points.astype(np.int32), bins=[3, 3, 2])


def patches(c):
    name = "lax.conv_general_dilated_patches"
    c("of a line", name, floats(2, 3, 7), (3,), (2,), "SAME")
    c("of a plane", name, floats(2, 2, 5, 4), (2, 3), (1, 2), [(1, 0), (2, 1)])
    c("dilated", name, floats(1, 2, 5, 4), (2, 2), (1, 1), "VALID", rhs_dilation=(2, 1))
    c("channels last", name, floats(2, 5, 4, 3), (2, 3), (2, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    c("in another order", name, floats(3, 2, 5, 4), (2, 3), (1, 1), "VALID", dimension_numbers=("CNHW", "OWIH", "HNCW"))
    c("of a cube", name, floats(1, 2, 3, 3, 3), (2, 1, 2), (1, 1, 1), "VALID")


def casts():
    """1 where a cast is allowed, [from, to]."""
    table = lambda rule: np.array([[jnp.can_cast(a, b, rule) for b in DTYPES] for a in DTYPES], np.int32)  # noqa: E731
    classes = ["generic", "number", "integer", "signedinteger", "unsignedinteger", "inexact", "floating", "complexfloating"]
    kinds = ["bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating", "numeric"]
    known = {name: jnp.dtype(name) for name in DTYPES}
    out = {rule: table(rule) for rule in ["no", "equiv", "safe", "same_kind", "unsafe"]}
    out["issubdtype"] = np.array([[jnp.issubdtype(d, getattr(np, k)) for k in classes] for d in known.values()], np.int32)
    out["isdtype"] = np.array([[jnp.isdtype(d, k) for k in kinds] for d in known.values()], np.int32)
    return out


FAMILIES = [binning, patches]
