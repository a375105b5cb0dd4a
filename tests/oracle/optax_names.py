"""The functions that optax exports, in camelCase, for tests/optax/names.json: python tests/oracle/optax_names.py."""

import json
import pathlib
import types

import optax

SPACES = [
    "contrib", "losses", "schedules", "projections", "perturbations", "transforms", "second_order", "tree", "tree_utils",
    "assignment",
]  # fmt: skip


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def functions(module):
    own = [name for name in dir(module) if name[0].islower() or name == "MultiSteps"]
    return sorted(camel(name) for name in own if not isinstance(getattr(module, name), types.ModuleType))


found = {"": functions(optax)} | {camel(space): functions(getattr(optax, space)) for space in SPACES}
target = pathlib.Path(__file__).parent.parent / "optax" / "names.json"
target.write_text(json.dumps(found, indent=2) + "\n")
