"""Writes tests/goldens/safetensors.safetensors with the reference implementation (pip install safetensors numpy).

Run from the repository root: python tests/oracle/safetensors_golden.py
Metadata has one key only: the reference writes several in no fixed order.
"""

import numpy as np
from safetensors.numpy import save_file

save_file(
    {
        "b.kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
        "a.bias": np.array([-1.5, np.inf, np.nan], np.float32),
        "10": np.array([2**63 - 1, -(2**63)], np.int64),
        "9": np.array(0.1, np.float64),
        "mask": np.array([True, False, True]),
        "scalar": np.array(7, np.int32),
        "empty": np.zeros((0, 4), np.uint32),
        "half": np.array([0.5, -2], np.float16),
        "bytes": np.arange(5, dtype=np.uint8),
        '\U0001f600 "é"\n': np.array([1], np.uint16),
        "\uffee": np.array([2], np.uint16),
    },
    "tests/goldens/safetensors.safetensors",
    metadata={"format": "np"},
)
