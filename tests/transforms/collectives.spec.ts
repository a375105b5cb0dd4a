import { allGather, psum, vmap } from "@jnx/autodiff";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { expect, test } from "vitest";

useDevice();

test("collectives over several axes, and gathered one after another", async () => {
  const x = t.array([
    [1.5, 2],
    [3, 4],
  ]);
  const total = vmap(
    vmap((v: Tensor) => psum(v, ["i", "j"]), { axisName: "j" }),
    { axisName: "i" },
  )(x);
  const tiled = vmap((v: Tensor) => allGather(v, "i", { tiled: true }), { axisName: "i" })(x);
  expect([await total.toArray(), await tiled.toArray()]).toEqual([
    [
      [10.5, 10.5],
      [10.5, 10.5],
    ],
    [
      [1.5, 2, 3, 4],
      [1.5, 2, 3, 4],
    ],
  ]);
});
