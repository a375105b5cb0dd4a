import { grad, hessian, jacfwd, jacrev, jvp, linearize, pmean, valueAndGrad, vjp, vmap } from "@jnx/autodiff";
import { jit, type ProgramReport } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { jax, jnp } from "jnx";
import { expectTypeOf, test } from "vitest";

interface Params {
  readonly w: Tensor;
  readonly b: Tensor;
}

// These hold when `tsc` passes; nothing here runs on a device.
const x = t.zeros([2]);
const params: Params = { w: x, b: x };
const loss = (p: Params, x: Tensor, scale: number): Tensor => t.sum(t.mul(t.add(t.mul(x, p.w), p.b), scale));
const both = (p: Params, x: Tensor): [Tensor, { name: string }] => [loss(p, x, 1), { name: "aux" }];

test("jit keeps the signature, and adds explain and traces", () => {
  const step = jit(loss);
  expectTypeOf(step).toBeCallableWith(params, x, 0.5);
  expectTypeOf<Parameters<typeof step>>().toEqualTypeOf<[Params, Tensor, number]>();
  expectTypeOf<ReturnType<typeof step>>().toEqualTypeOf<Tensor>();
  expectTypeOf(step.traces).toEqualTypeOf<number>();
  expectTypeOf(step.explain).parameters.toEqualTypeOf<[Params, Tensor, number]>();
  expectTypeOf(step.explain).returns.toEqualTypeOf<ProgramReport>();
  expectTypeOf(jit(both)).returns.toEqualTypeOf<[Tensor, { name: string }]>();
});

test("a gradient has the type of the argument that argnums names", () => {
  expectTypeOf(grad(loss)).parameters.toEqualTypeOf<[Params, Tensor, number]>();
  expectTypeOf(grad(loss)).returns.toEqualTypeOf<Params>();
  expectTypeOf(grad(loss, { argnums: 0 })).returns.toEqualTypeOf<Params>();
  expectTypeOf(grad(loss, { argnums: 1 })).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(valueAndGrad(loss)).returns.toEqualTypeOf<[Tensor, Params]>();
  expectTypeOf(valueAndGrad(loss, { argnums: 1 })).returns.toEqualTypeOf<[Tensor, Tensor]>();
});

test("aux keeps its type", () => {
  expectTypeOf(grad(both, { hasAux: true })).returns.toEqualTypeOf<[Params, { name: string }]>();
  expectTypeOf(valueAndGrad(both, { hasAux: true })).returns.toEqualTypeOf<[[Tensor, { name: string }], Params]>();
});

test("a pullback takes what the function gives, and gives what it takes", () => {
  const pulled = (): [{ y: Tensor }, (ct: { y: Tensor }) => [Params, Tensor]] =>
    vjp((p: Params, v: Tensor) => ({ y: t.mul(p.w, v) }), params, x);
  expectTypeOf(pulled).returns.toExtend<[{ y: Tensor }, (ct: { y: Tensor }) => readonly [Params, Tensor]]>();
});

test("tangents and batches have the types of what they go with", () => {
  const value = (p: Params, v: Tensor): { y: Tensor } => ({ y: t.mul(p.w, v) });
  const pushed = (): [{ y: Tensor }, { y: Tensor }] => jvp(value, [params, x], [params, x]);
  expectTypeOf(pushed).returns.toEqualTypeOf<[{ y: Tensor }, { y: Tensor }]>();
  const withAux = () => jvp(() => [x, "aux"] as const, [], [], { hasAux: true });
  expectTypeOf(withAux).returns.toEqualTypeOf<[Tensor, Tensor, "aux"]>();
  const beside = (p: Params, v: Tensor): [{ y: Tensor }, "aux"] => [value(p, v), "aux"];
  const pulledBeside = () => vjp(beside, params, x, { hasAux: true });
  expectTypeOf(pulledBeside).returns.toEqualTypeOf<[{ y: Tensor }, (ct: { y: Tensor }) => [Params, Tensor], "aux"]>();
  const linear = () => linearize(value, params, x);
  expectTypeOf(linear).returns.toEqualTypeOf<[{ y: Tensor }, (...tangents: [Params, Tensor]) => { y: Tensor }]>();
  expectTypeOf(vmap(value)).parameters.toEqualTypeOf<[Params, Tensor]>();
  expectTypeOf(vmap(value, { inAxes: [{ w: 0, b: null }, -1], outAxes: 1 })).returns.toEqualTypeOf<{ y: Tensor }>();
  const mean = (): { y: Tensor } => pmean({ y: x }, "i");
  expectTypeOf(mean).returns.toEqualTypeOf<{ y: Tensor }>();
});

test("a Jacobian has the output's tree, and in it the arguments'", () => {
  const value = (p: Params, v: Tensor): { y: Tensor } => ({ y: t.mul(p.w, v) });
  const square = (v: Tensor): Tensor => t.square(v);
  expectTypeOf(jacfwd(square)).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(jacrev(value)).returns.toEqualTypeOf<{ y: { readonly w: Tensor; readonly b: Tensor } }>();
  expectTypeOf(jacrev(value, { argnums: 1 })).returns.toEqualTypeOf<{ y: Tensor }>();
  expectTypeOf(jacfwd(value, { argnums: [1] })).returns.toEqualTypeOf<{
    y: (Tensor | { readonly w: Tensor; readonly b: Tensor })[];
  }>();
  expectTypeOf(hessian(square)).returns.toEqualTypeOf<Tensor>();
});

test("what does not exist does not compile", () => {
  const mistakes = (): void => {
    // @ts-expect-error an option misspelt
    grad(loss, { argnum: 1 });
    // @ts-expect-error an option of Python's
    grad(loss, { has_aux: true });
    // @ts-expect-error an option of another function
    jit(loss, { argnums: 1 });
    // @ts-expect-error a number written as text
    jit(loss, { staticArgnums: "1" });
    // @ts-expect-error a tangent of another tree
    jvp(loss, [params, x, 1], [x, x, 1]);
    // @ts-expect-error an axis written as text
    vmap(loss, { inAxes: "0" });
    // @ts-expect-error an argument too few
    jit(loss)(params, x);
    // @ts-expect-error an argument of another type
    jit(loss)(x, x, 1);
    // @ts-expect-error a tangent of another tree
    jvp(loss, [params, x, 1], [x, x, 1]);
    // @ts-expect-error an axis written as text
    vmap(loss, { inAxes: "0" });
    // @ts-expect-error an argument too few
    grad(loss)(params);
    // @ts-expect-error options that sum does not have
    jnp.sum(x, { axes: 0 });
    // @ts-expect-error text is no array
    jnp.add(x, "1");
    // @ts-expect-error a dtype there is not
    t.zeros([2], { dtype: "float" });
    // @ts-expect-error through the umbrella too
    jax.jit(loss, { staticArgNums: 1 });
  };
  expectTypeOf(mistakes).toBeFunction();
});
