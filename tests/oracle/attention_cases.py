"""jax.nn.dot_product_attention: results and gradients, in the form of structural_cases."""

import numpy as np
from structural_cases import bools, floats


def attention(c):
    def case(label, batch, queries, keys, heads, key_heads, depth, grad=True, **options):
        q, k, v = floats(batch, queries, heads, depth), floats(batch, keys, key_heads, depth), floats(batch, keys, key_heads, depth)
        c(label, "nn.dot_product_attention", q / 4, k / 4, v, grad=grad, **options)

    def bias(*shape):
        return floats(*shape) / 4

    case("plain", 1, 8, 12, 1, 1, 8)
    case("lengths that are no multiples of a tile", 2, 11, 9, 2, 2, 4)
    case("grouped queries, scaled", 2, 5, 7, 6, 2, 4, scale=0.3)
    case("causal", 2, 9, 9, 2, 1, 4, is_causal=True)
    case("causal, more keys", 1, 4, 9, 1, 1, 4, is_causal=True)
    case("causal, more queries", 1, 9, 4, 1, 1, 4, is_causal=True)
    case("local window", 1, 10, 10, 1, 1, 4, local_window_size=(3, 1))
    case("a window that leaves the last queries blind", 1, 10, 4, 1, 1, 4, local_window_size=2)
    case("lengths", 2, 6, 7, 2, 2, 4, query_seq_lengths=np.array([6, 2], np.int32), key_value_seq_lengths=np.array([3, 7], np.int32))
    case("bias of each head", 2, 5, 6, 2, 1, 4, bias=bias(2, 5, 6))
    case("bias of the keys, causal", 2, 5, 6, 2, 1, 4, bias=bias(2, 1, 1, 6), is_causal=True)
    case("mask", 2, 5, 6, 2, 1, 4, mask=bools(2, 1, 5, 6))
    blind = bools(1, 1, 6, 6)
    blind[0, 0, 1:3] = False
    case("mask that blinds two queries", 2, 6, 6, 4, 2, 4, mask=blind)
    case("mask that blinds two queries, causal", 1, 6, 6, 2, 2, 4, mask=blind, is_causal=True)
    case("mask and bias", 2, 5, 6, 4, 2, 4, mask=bools(2, 4, 1, 6), bias=bias(1, 1, 5, 6))
    low = bias(1, 1, 5, 6)
    low[0, 0, 1, :4] = -np.inf
    case("bias of minus infinity", 1, 5, 6, 1, 1, 4, bias=low)
    low = low.copy()
    low[0, 0, 2] = -np.inf
    case("bias that is minus infinity for a query", 1, 5, 6, 1, 1, 4, bias=low, grad=False)
    q, k = floats(1, 5, 1, 4), floats(1, 5, 1, 4)
    q[0, 1, 0, 2] = np.nan
    k[0, 3, 0, 1] = np.inf
    c("NaN and infinity", "nn.dot_product_attention", q, k, floats(1, 5, 1, 4), grad=False)


FAMILIES = [attention]
