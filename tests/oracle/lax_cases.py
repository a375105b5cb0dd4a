"""More functions of jax.lax, in the form of structural_cases."""

import numpy as np
from jax import lax
from structural_cases import floats

EDGES = np.array([0, 1, -1, 2, -7, 65535, 65536, 2**31 - 1, -(2**31), 123456789, -987654321], np.int64)


def reduced(c):
    few = np.array([0, -0.0, 1, 1.2345678, -3.1415927, 65504, 65519, 65520, 7e4, 6.2e-5, 6.1e-5, 1e-6, 3e38, -1e-30, np.inf, -np.inf, np.nan, 1.5, 2.5, 3.4028235e38], np.float32)
    for exponent, mantissa in [(5, 10), (8, 7), (8, 23), (5, 2), (4, 3), (1, 0), (8, 0), (11, 30), (2, 1)]:
        c(f"to {exponent} and {mantissa} bits", "lax.reduce_precision", few, exponent, mantissa, grad=False)
    c("of ordinary numbers", "lax.reduce_precision", floats(5) / 3, 5, 4)


def laxmore(c):
    x = floats(4, 6)
    c("along 1", "lax.split", x, (1, 0, 3, 2), 1)
    c("along 0", "lax.split", x, (4,))
    c("along -1", "lax.stack", [floats(2, 3), floats(2, 3)], -1)
    c("along 1", "lax.unstack", floats(2, 3), 1)
    c("of a row", "lax.broadcast_like", floats(3), floats(2, 3), grad=False)
    places = [np.array([0, -1, 5], np.int32), np.array([2, 0, -7], np.int32)]
    c("of two axes", "lax.index_take", floats(3, 4, 2), [places[0], places[1]], [0, 2])
    c("of one axis", "lax.index_take", floats(3, 4), [places[1]], [1])
    a, b = (g.ravel() for g in np.meshgrid(EDGES, EDGES))
    for dtype in [np.int32, np.uint32]:
        c(f"of {np.dtype(dtype)}", "lax.mulhi", a.astype(dtype), b.astype(dtype))
    reduced(c)
    rows, matrices = floats(7, 3), floats(3, 3, 2)
    for sizes in [[2, 0, 5], [3, 1, 2], [0, 0, 0]]:
        c(f"of groups {sizes}", "lax.ragged_dot", rows, matrices, np.array(sizes, np.int32))
    image = floats(2, 3, 7)
    c("of a line", "lax.conv_general_dilated_local", image, floats(4, 6, 3), (2,), "VALID", (2,))
    numbers = ("NHWC", "HWIO", "NHWC")
    c.add(
        "lax.conv_general_dilated_local of an image",
        "lax.convGeneralDilatedLocal",
        lambda l, r, *_: lax.conv_general_dilated_local(l, r, (1, 2), "SAME", (3, 2), dimension_numbers=numbers),
        [floats(2, 3, 4, 2), floats(3, 2, 12, 3), [1, 2], "SAME", [3, 2]],
        {"dimensionNumbers": list(numbers)},
    )
    turned = ("CWHN", "WOIH", "HNWC")
    c.add(
        "lax.conv_general_dilated_local of axes in another order",
        "lax.convGeneralDilatedLocal",
        lambda l, r, *_: lax.conv_general_dilated_local(l, r, (1, 1), [(1, 0), (0, 1)], (2, 2), rhs_dilation=(1, 2), dimension_numbers=turned),
        [floats(2, 4, 3, 2), floats(4, 3, 8, 2), [1, 1], [[1, 0], [0, 1]], [2, 2]],
        {"dimensionNumbers": list(turned), "rhsDilation": [1, 2]},
    )
    y = np.array([[3, 1, np.inf, -2, 1], [0.5, -1, 7, 7, -np.inf]], np.float32)
    for name in ["approx_max_k", "approx_min_k"]:
        c("of 3", f"lax.{name}", y, 3)
        c("along 0", f"lax.{name}", y, 1, reduction_dimension=0)


FAMILIES = [laxmore]
