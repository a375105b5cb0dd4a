import { grad } from "@jnx/autodiff";
import { cond, makeJaxpr, scan, whileLoop } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { expect, test } from "vitest";

useDevice();

/** The text form of graphs: what DEBUG=4 prints and what bodies are told apart by. */

const x = t.array([0.5, 1.5, 2.5]);

test("ops, literals and constants", () => {
  const f = (v: Tensor): Tensor => t.sum(t.add(t.mul(v, 2), t.sin(x)));
  expect(String(makeJaxpr(f)(x))).toMatchInlineSnapshot(`
    "%0: float32[3] = input 0
    %1: float32[3] = 2
    %2: float32[3] = mul(%0, %1)
    %3: float32[3] = constant
    %4: float32[3] = sin(%3)
    %5: float32[3] = add(%2, %4)
    %6: float32[] = reduce_sum(%5) {"axes":[0]}
    return %6"
  `);
});

test("a loop with its body, and the loop that goes back through it", () => {
  const f = (v: Tensor): Tensor => scan((c: Tensor, row: Tensor) => [t.mul(c, row), t.sin(c)], t.array(0.5), v)[0];
  expect(String(makeJaxpr(f)(x))).toMatchInlineSnapshot(`
    "%0: float32[3] = input 0
    %1: float32[] = 0.5
    %2: float32[] = scan.0[0] of scan(%1, %0) 3 times, 1 carried:
      %0: float32[] = input 0
      %1: float32[] = input 1
      %2: float32[] = mul(%0, %1)
      %3: float32[] = sin(%0)
      return %2, %3
    return %2"
  `);
  expect(String(makeJaxpr(grad(f))(x))).toMatchInlineSnapshot(`
    "%0: float32[3] = input 0
    %1: float32[3] = alias(%0)
    %2: float32[] = 0.5
    %3: float32[3] = alias(%1)
    %4: float32[3] = scan.0[2] of scan(%2, %3) 3 times, 1 carried:
      %0: float32[] = input 0
      %1: float32[] = input 1
      %2: float32[] = alias(%0)
      %3: float32[] = alias(%1)
      %4: float32[] = mul(%2, %3)
      %5: float32[] = sin(%2)
      %6: float32[] = cos(%2)
      return %4, %5, %6, %0
    %5: float32[3] = scan.0[3]
    %6: float32[] = 1
    %7: float32[3] = 0
    %8: float32[3] = scan.1[1] of scan(%6, %7, %4, %5, %3) 3 times in reverse, 1 carried:
      %0: float32[] = input 0
      %1: float32[] = input 1
      %2: float32[] = input 2
      %3: float32[] = input 3
      %4: float32[] = input 4
      %5: float32[] = alias(%3)
      %6: float32[] = alias(%4)
      %7: float32[] = mul(%1, %2)
      %8: float32[] = mul(%0, %6)
      %9: float32[] = mul(%0, %5)
      %10: float32[] = add(%7, %8)
      return %10, %9
    return %8"
  `);
});

test("a choice with its branches, a loop with its condition", () => {
  const f = (p: Tensor, v: Tensor): Tensor =>
    cond(
      p,
      (u: Tensor) => t.sum(u),
      (u: Tensor) => t.max(u),
      v,
    );
  expect(String(makeJaxpr(f)(t.array(true), x))).toMatchInlineSnapshot(`
    "%0: bool[] = input 0
    %1: float32[3] = input 1
    %2: int32[] = convert_element_type(%0) {"dtype":"int32","weak":true}
    %3: int32[] = 0
    %4: bool[] = notEqual(%2, %3)
    %5: int32[] = convert_element_type(%4) {"dtype":"int32","weak":false}
    %6: float32[] = cond.0[0] of cond(%5, %1)
      branch 0 of operands 0:
      %0: float32[3] = input 0
      %1: float32[] = reduce_max(%0) {"axes":[0]}
      return %1
      branch 1 of operands 0:
      %0: float32[3] = input 0
      %1: float32[] = reduce_sum(%0) {"axes":[0]}
      return %1
    return %6"
  `);
  const g = (v: Tensor): Tensor =>
    whileLoop(
      (u: Tensor) => t.less(t.sum(u), 9),
      (u: Tensor) => t.mul(u, 2),
      v,
      { maxIterations: 7 },
    );
  expect(String(makeJaxpr(g)(x))).toMatchInlineSnapshot(`
    "%0: float32[3] = input 0
    %1: float32[3] = whileLoop.0[0] of whileLoop(%0) at most 7 times, 1 carried:
      while:
      %0: float32[3] = input 0
      %1: float32[] = reduce_sum(%0) {"axes":[0]}
      %2: float32[] = 9
      %3: bool[] = less(%1, %2)
      return %3
      do:
      %0: float32[3] = input 0
      %1: float32[3] = 2
      %2: float32[3] = mul(%0, %1)
      %3: float32[] = reduce_sum(%2) {"axes":[0]}
      %4: float32[] = 9
      %5: bool[] = less(%3, %4)
      return %2, %5
    return %1"
  `);
});
