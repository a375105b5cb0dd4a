"""lax.gather and the lax.scatter family, in the form of structural_cases."""

import numpy as np
from jax import lax
from structural_cases import bools, camel, floats, ints

I32 = np.int32


def arr(*values):
    return np.array(values, I32)


def named(numbers):
    return {camel(k): v for k, v in numbers._asdict().items() if not (k.endswith("batching_dims") and v == ())}


def gather_numbers(offset, collapsed, index_map, operand=(), indices=()):
    return lax.GatherDimensionNumbers(offset, collapsed, index_map, operand, indices)


def scatter_numbers(window, inserted, index_map, operand=(), indices=()):
    return lax.ScatterDimensionNumbers(window, inserted, index_map, operand, indices)


def taken(c, label, x, indices, numbers, sizes, grad=True, **options):
    c.add(
        f"lax.gather {label}",
        "lax.gather",
        lambda a, i, *_: lax.gather(a, i, numbers, sizes, **options),
        [x, indices, named(numbers), list(sizes)],
        {camel(k): v for k, v in options.items() if v is not None},
        grad,
    )


def put(c, name, label, x, indices, updates, numbers, grad=True, **options):
    c.add(
        f"lax.{name} {label}",
        f"lax.{camel(name)}",
        lambda a, i, u, *_: getattr(lax, name)(a, i, u, numbers, **options),
        [x, indices, updates, named(numbers)],
        {camel(k): v for k, v in options.items() if v is not None},
        grad,
    )


MODES = ["fill", "clip", "promise_in_bounds"]


def gathers(c):
    x, cube = floats(5, 4), floats(3, 4, 5)
    rows = gather_numbers((1,), (0,), (0,))
    taken(c, "rows", x, arr([3], [0], [3]), rows, (1, 4))
    taken(c, "parts of rows", x, arr([3], [0], [3]), rows, (1, 2))
    taken(c, "rows by a matrix of indices", x, arr([[3], [0]], [[1], [4]], [[2], [2]]), gather_numbers((2,), (0,), (0,)), (1, 4))
    taken(c, "columns first", x, arr([3], [0]), gather_numbers((0,), (1,), (1,)), (5, 1))
    taken(c, "elements", x, arr([3, 0], [1, 2], [4, 3]), gather_numbers((), (0, 1), (0, 1)), (1, 1))
    taken(c, "elements, columns named first", x, arr([3, 0], [1, 2]), gather_numbers((), (0, 1), (1, 0)), (1, 1))
    taken(c, "one by a vector", x, arr(2, 1), gather_numbers((0, 1), (), (0, 1)), (2, 2))
    taken(c, "whole windows", x, arr([0, 0], [0, 0]), gather_numbers((0, 1), (), (0, 1)), (5, 4))
    taken(c, "no numbers", x, np.zeros((3, 0), I32), gather_numbers((1, 2), (), ()), (2, 4))
    wild = arr([-1, 0], [2, 1], [4, 0], [3, 3], [0, -9], [9, 2])
    for mode in [*MODES, None]:
        taken(c, f"windows, mode {mode}", x, wild, gather_numbers((1, 2), (), (0, 1)), (2, 3), mode=mode, grad=mode == "clip")
        taken(c, f"windows around the batch, mode {mode}", x, wild, gather_numbers((0, 2), (), (0, 1)), (2, 3), mode=mode, grad=mode == "clip")
        taken(c, f"spanning rows, mode {mode}", x, wild, gather_numbers((1, 2), (), (0, 1)), (2, 4), mode=mode, grad=mode == "clip")
    taken(c, "filled with 7", x, wild, gather_numbers((1, 2), (), (0, 1)), (2, 3), mode="fill", fill_value=7)
    taken(c, "of ints, filled", ints(5, 4), wild, gather_numbers((1, 2), (), (0, 1)), (2, 3), mode="fill")
    taken(c, "of uints, filled", ints(5, 4, low=0).astype(np.uint32), wild, gather_numbers((1, 2), (), (0, 1)), (2, 3), mode="fill")
    taken(c, "of bools, filled", bools(5, 4), wild, gather_numbers((1, 2), (), (0, 1)), (2, 3), mode="fill")
    taken(c, "by uints", x, np.array([[1], [4294967295], [4]], np.uint32), rows, (1, 4), mode="clip")
    taken(c, "by uints, filled", x, np.array([[1], [4294967295], [5]], np.uint32), rows, (1, 4), mode="fill", fill_value=-1)
    taken(c, "by ints, filled past int32", x, arr([2147483647], [-2147483648], [2]), rows, (1, 4), mode="fill", fill_value=0)
    taken(c, "windows of three axes", cube, arr([1, 2], [0, 9]), gather_numbers((0, 1, 3), (), (2, 0)), (2, 3, 2), mode="clip")
    along = gather_numbers((), (1,), (1,), (0,), (0,))
    taken(c, "along a batch", x, arr([[3], [0]], [[1], [1]], [[2], [9]], [[0], [3]], [[3], [3]]), along, (1, 1), mode="clip")
    both = gather_numbers((2,), (1,), (1,), (0, 2), (1, 0))
    taken(c, "along two batches", floats(2, 4, 3, 2), ints(3, 2, 1, low=0, high=4), both, (1, 1, 1, 2))
    taken(c, "along a batch with windows", cube, ints(3, 2, 2, low=-1, high=4), gather_numbers((2, 3), (), (1, 2), (0,), (0,)), (1, 2, 3), mode="fill", fill_value=0)
    taken(c, "of no indices", x, np.zeros((0, 1), I32), rows, (1, 4))
    taken(c, "of empty windows", x, arr([3], [0]), rows, (1, 0))


def scatters(c):
    x, cube = floats(5, 4), floats(3, 4, 5)
    rows = scatter_numbers((1,), (0,), (0,))
    once, twice = arr([3], [0]), arr([3], [0], [3])
    wild = arr([-1, 0], [2, 1], [4, 0], [3, 3], [0, -9], [9, 2])
    for name in ["scatter", "scatter_add", "scatter_sub", "scatter_mul", "scatter_min", "scatter_max"]:
        many = name != "scatter_mul"
        put(c, name, "rows", x, once, floats(2, 4), rows, unique_indices=True)
        put(c, name, "rows twice", x, twice, floats(3, 4), rows, grad=many)
        put(c, name, "parts of rows", x, twice, floats(3, 2), rows, grad=many)
        put(c, name, "elements", x, arr([3, 0], [1, 2]), floats(2), scatter_numbers((), (0, 1), (0, 1)), unique_indices=True)
        for mode in [*MODES, None]:
            windows = scatter_numbers((1, 2), (), (0, 1))
            # JAX's rule for extremes takes no notice of the mode, and what breaks a promise has no right gradient.
            kept = mode != "clip" or name not in ["scatter_min", "scatter_max"]
            grad = many and kept and mode != "promise_in_bounds"
            put(c, name, f"windows, mode {mode}", x, wild, floats(6, 2, 2), windows, mode=mode, grad=grad)
        put(c, name, "windows around the batch", x, wild, floats(2, 6, 2), scatter_numbers((0, 2), (), (0, 1)), grad=many)
        put(c, name, "spanning rows", x, wild, floats(6, 2, 4), scatter_numbers((1, 2), (), (0, 1)), grad=many)
        put(c, name, "ints", ints(5, 4), twice, ints(3, 4), rows)
        put(c, name, "uints", ints(5, 4, low=0).astype(np.uint32), twice, ints(3, 4, low=0).astype(np.uint32), rows)
        put(c, name, "along a batch", x, ints(5, 2, 1, low=0, high=5), floats(5, 2), scatter_numbers((), (1,), (1,), (0,), (0,)), grad=many)
        put(c, name, "along two batches", floats(2, 4, 3, 2), ints(3, 2, 1, low=0, high=4), floats(3, 2, 2), scatter_numbers((2,), (1,), (1,), (0, 2), (1, 0)), unique_indices=True)
        put(c, name, "along a batch with windows", cube, ints(3, 2, 2, low=-1, high=4), floats(3, 2, 2, 3), scatter_numbers((2, 3), (), (1, 2), (0,), (0,)), grad=many)
        put(c, name, "no numbers", x, np.zeros((2, 0), I32), floats(2, 3, 4), scatter_numbers((1, 2), (), ()), grad=many)
        put(c, name, "nothing", x, np.zeros((0, 1), I32), np.zeros((0, 4), np.float32), rows, grad=many)
        put(c, name, "special values", x[:3], arr([0], [1], [2]), np.array([[np.nan, np.inf, -np.inf, -0.0]] * 3, np.float32), rows, grad=False)
    put(c, "scatter", "bools", bools(5, 4), twice, bools(3, 4), rows)
    put(c, "scatter", "by uints", x, np.array([[1], [4294967295]], np.uint32), floats(2, 4), rows)


FAMILIES = [gathers, scatters]
