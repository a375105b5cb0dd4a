"""Makes every golden file with the real JAX, Flax and optax on the CPU. Run by `pnpm oracle`.

    python -m venv .venv && .venv/bin/pip install -r tests/oracle/requirements.txt && .venv/bin/python tests/oracle/main.py
"""

import os
import sys

os.environ["JAX_PLATFORMS"] = "cpu"
sys.dont_write_bytecode = True

import attention_cases  # noqa: E402
import binning_cases  # noqa: E402
import dtype_cases  # noqa: E402
import function_cases  # noqa: E402
import gather_cases  # noqa: E402
import golden  # noqa: E402
import lax_cases  # noqa: E402
import lax_refusals  # noqa: E402
import integral_cases  # noqa: E402
import linalg_cases  # noqa: E402
import matrix_cases  # noqa: E402
import more_cases  # noqa: E402
import nnx_arguments  # noqa: E402
import nnx_attention  # noqa: E402
import nnx_cases  # noqa: E402
import nnx_checkpoint  # noqa: E402
import nnx_curves  # noqa: E402
import nnx_layers  # noqa: E402
import nnx_linen  # noqa: E402
import nnx_windows  # noqa: E402
import numpy_cases  # noqa: E402
import option_cases  # noqa: E402
import optax_cases  # noqa: E402
import optax_contrib  # noqa: E402
import optax_more  # noqa: E402
import optax_search  # noqa: E402
import optax_tools  # noqa: E402
import random_cases  # noqa: E402
import sampler_cases  # noqa: E402
import scipy_cases  # noqa: E402
import special_cases  # noqa: E402
import stats_cases  # noqa: E402
import stats_more_cases  # noqa: E402
import structural_cases  # noqa: E402

golden.write("dtypes", dtype_cases.cases())
golden.write("casts", binning_cases.casts())
golden.write("functions", function_cases.cases())
golden.write("lax-refusals", lax_refusals.cases())
golden.write("random-keys", random_cases.key_cases())
golden.write("random-bits", random_cases.shape_cases())
golden.write("random-samplers", random_cases.sampler_cases())
golden.write("random-exact", sampler_cases.exact_cases())
golden.write("random-close", sampler_cases.close_cases())
golden.write("random-rejected", sampler_cases.rejected_cases())
golden.write("random-discrete", sampler_cases.discrete_cases())
golden.write("random-vectors", sampler_cases.vector_cases())
golden.write("random-older", sampler_cases.older_cases())
golden.write("random-gradients", sampler_cases.gradient_cases())
golden.write("initializers", random_cases.initializer_cases())
golden.write("optax-optimizers", optax_cases.optimizer_cases())
golden.write("optax-losses", optax_cases.loss_cases())
golden.write("optax-schedules", optax_cases.schedule_cases())
golden.write("optax-transforms", optax_more.optimizer_cases())
golden.write("optax-more-schedules", optax_more.schedule_cases())
golden.write("optax-more-losses", optax_more.loss_cases())
golden.write("optax-contrib", optax_contrib.cases())
golden.write("optax-galore", optax_contrib.galore())
golden.write("optax-contrib-losses", optax_contrib.losses())
golden.write("optax-search", optax_search.cases())
golden.write("optax-tools", optax_tools.cases())
golden.write("nnx-layers", nnx_cases.layer_cases())
golden.write("nnx-checkpoint", nnx_checkpoint.cases())
golden.write("nnx-curves", nnx_curves.cases())
golden.write("nnx-layer-outputs", nnx_layers.layer_cases())
golden.write("nnx-linen", nnx_linen.cases())
golden.write("nnx-training", nnx_cases.training_cases())
for family in [*structural_cases.FAMILIES, *attention_cases.FAMILIES, *more_cases.FAMILIES, *gather_cases.FAMILIES, *scipy_cases.FAMILIES, *numpy_cases.FAMILIES, *linalg_cases.FAMILIES, *binning_cases.FAMILIES, *lax_cases.FAMILIES, *option_cases.FAMILIES, *matrix_cases.FAMILIES, *stats_cases.FAMILIES, *integral_cases.FAMILIES, *stats_more_cases.FAMILIES]:
    golden.write(f"structural-{family.__name__}", structural_cases.cases(family))
golden.write("nnx-windows", nnx_windows.cases())
golden.write("nnx-arguments", nnx_arguments.cases())
golden.write("nnx-attention", nnx_attention.cases())
golden.write("special-values", special_cases.cases())
