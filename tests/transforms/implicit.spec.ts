import { grad, hessian, jacfwd, jacrev, jvp, vjp, vmap } from "@jnx/autodiff";
import { closureConvert, customGradient, customLinearSolve, customRoot, jit, scan, whileLoop } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { ArgumentError, DtypeError, ShapeError } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";

useDevice();

const at = (values: t.NestedArray): Tensor => t.array(values, { dtype: "float32" });

const A = [
  [4, 1, 0.5],
  [0.25, 3, -1],
  [-0.5, 0.75, 5],
];
const B = [1, -2, 3.5];
const CT = [0.5, 2, -1];

/** x with a x = b, in float64. */
function solve64(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = a.map((row, k) => [...row, b[k] ?? 0]);
  rows.forEach((row, k) => {
    const pivot = row[k] ?? 1;
    rows.forEach((other, j) => {
      if (j === k) return;
      const factor = (other[k] ?? 0) / pivot;
      row.forEach((value, column) => (other[column] = (other[column] ?? 0) - factor * value));
    });
  });
  return rows.map((row, k) => (row[3] ?? 0) / (row[k] ?? 1));
}

const transposed = (a: readonly (readonly number[])[]): number[][] => a.map((_, k) => a.map((row) => row[k] ?? 0));
const close = (got: unknown, want: readonly number[], digits = 5): void => {
  const flat = [got].flat(4) as number[]; // nested numbers
  expect(flat.length).toBe(want.length);
  want.forEach((value, k) => expect(flat[k]).toBeCloseTo(value, digits));
};

const wrong = <T>(value: unknown): T => value as T; // on purpose

/** Gauss and Seidel's way as a loop that ends by itself: nothing that reverse mode could go back through. */
function jacobi(matvec: (x: Tensor) => Tensor, b: Tensor): Tensor {
  const step = (x: Tensor): Tensor => t.add(x, t.mul(t.sub(b, matvec(x)), 0.2));
  return whileLoop((x: Tensor) => t.greater(t.max(t.abs(t.sub(b, matvec(x)))), 5e-6), step, t.mul(b, 0), {
    maxIterations: 120,
  });
}

const linear = (a: Tensor, b: Tensor): Tensor =>
  customLinearSolve((x: Tensor) => t.matmul(a, x), b, jacobi, { transposeSolve: jacobi });

describe("customLinearSolve", () => {
  const x = solve64(A, B);
  const back = solve64(transposed(A), CT);
  const dA = back.flatMap((row) => x.map((value) => -row * value));

  test("solves, and goes back by the transposed equation", async () => {
    const [value, pull] = vjp(linear, at(A), at(B));
    close(await value.toArray(), x);
    const [a, b] = pull(at(CT));
    close(await a.toArray(), dA);
    close(await b.toArray(), back);
  });

  test("goes forward by the same equation", async () => {
    const [da, db] = [A.map((row) => row.map((value) => value * value - 1)), [0.5, 1, -1]];
    const rhs = db.map((value, k) => value - (da[k] ?? []).reduce((sum, entry, j) => sum + entry * (x[j] ?? 0), 0));
    const [value, tangent] = jvp(linear, [at(A), at(B)], [at(da), at(db)]);
    close(await value.toArray(), x);
    close(await tangent.toArray(), solve64(A, rhs), 4);
  });

  test("under jit and vmap, of the matrix, of the side and of both", async () => {
    const loss = (a: Tensor, b: Tensor): Tensor => t.sum(t.mul(linear(a, b), at(CT)));
    const both = grad(loss, { argnums: [0, 1] });
    const [a, b] = jit(both)(at(A), at(B));
    close(await a?.toArray(), dA);
    close(await b?.toArray(), back);
    const scaled = A.map((row) => row.map((value) => value * 1.25));
    const [many, sides] = [at([A, scaled]), at([B, [2, 0.5, -1]])];
    const [first, second] = [solve64(A, B), solve64(scaled, [2, 0.5, -1])];
    close(await vmap(linear)(many, sides).toArray(), [...first, ...second]);
    close(await jit(vmap(linear, { inAxes: [0, null] }))(many, at(B)).toArray(), [...x, ...solve64(scaled, B)]);
    const shared = grad((m: Tensor) => t.sum(vmap(loss, { inAxes: [null, 0] })(m, sides)))(at(A));
    const other = solve64(A, [2, 0.5, -1]);
    const both64 = back.flatMap((row) => x.map((value, k) => -row * (value + (other[k] ?? 0))));
    close(await shared.toArray(), both64);
    const each = vmap(grad(loss, { argnums: 1 }))(many, sides);
    close(await each.toArray(), [...back, ...solve64(transposed(scaled), CT)]);
  });

  test("derivatives of derivatives, forward and back: b/d has 2b/d³", async () => {
    const solved = (d: Tensor): Tensor =>
      t.sum(
        customLinearSolve(
          (v: Tensor) => t.mul(d, v),
          at([3, 5]),
          (_f, b) => t.div(b, d),
          { symmetric: true },
        ),
      );
    const d = at([2, 4]);
    close(await grad(solved)(d).toArray(), [-3 / 4, -5 / 16]);
    close(await hessian(solved)(d).toArray(), [6 / 8, 0, 0, 10 / 64]);
    close(await jacfwd(jacfwd(solved))(d).toArray(), [6 / 8, 0, 0, 10 / 64]);
    close(await jit(jacrev(grad(solved)))(d).toArray(), [6 / 8, 0, 0, 10 / 64]);
  });

  test("trees, and what the solver says besides", async () => {
    type Pair = { readonly u: Tensor; readonly v: Tensor };
    const run = (s: Tensor): [Pair, { rounds: Tensor }] =>
      customLinearSolve(
        ({ u, v }: Pair) => ({ u: t.mul(s, u), v: t.mul(v, 4) }),
        { u: at([1, 3]), v: at(6) },
        (_f, b) => [{ u: t.div(b.u, s), v: t.div(b.v, 4) }, { rounds: at(7) }] as const,
        { symmetric: true, hasAux: true },
      );
    const [value, aux] = run(at(2.5));
    close(await value.u.toArray(), [0.4, 1.2]);
    close(await value.v.toArray(), [1.5]);
    expect(await aux.rounds.item()).toBe(7);
    const slope = grad((s: Tensor) => t.sum(run(s)[0].u))(at(2.5));
    close(await slope.toArray(), [-4 / 6.25]);
    close(await jacfwd((s: Tensor) => run(s)[0].u)(at(2.5)).toArray(), [-1 / 6.25, -3 / 6.25]);
  });

  test("within a scan that is differentiated", async () => {
    const loss = (d: Tensor): Tensor => {
      const step = (carry: Tensor, _x: Tensor): [Tensor, null] => [
        customLinearSolve(
          (v: Tensor) => t.mul(d, v),
          carry,
          (_f, b) => t.div(b, d),
          { symmetric: true },
        ),
        null,
      ];
      return scan(step, at(8.0), t.arange(3))[0];
    };
    // 8 / d³
    close(await grad(loss)(at(2.5)).toArray(), [-24 / 2.5 ** 4]);
    close(await jit(grad(loss))(at(2.5)).toArray(), [-24 / 2.5 ** 4]);
  });

  test("refusals", () => {
    const b = at(B);
    const plain = (m: Tensor): Tensor =>
      customLinearSolve(
        (v: Tensor) => t.matmul(m, v),
        b,
        (_f, y) => y,
      );
    expect(() => grad((m: Tensor) => t.sum(plain(m)))(at(A))).toThrow(
      /customLinearSolve: reverse mode .* give transposeSolve, or \{ symmetric: true \}/,
    );
    expect(() =>
      customLinearSolve(
        (v: Tensor) => t.sum(v),
        b,
        (_f, y) => y,
      ),
    ).toThrow(ShapeError);
    expect(() =>
      customLinearSolve(
        (v: Tensor) => v,
        b,
        (_f, y) => t.astype(y, "float16"),
      ),
    ).toThrow(DtypeError);
    expect(() =>
      customLinearSolve(
        (v: Tensor) => wrong<Tensor>({ v }),
        b,
        (_f, y) => y,
      ),
    ).toThrow(ArgumentError);
    expect(() =>
      customLinearSolve(
        (v: Tensor) => v,
        b,
        (_f, y) => wrong<[Tensor, Tensor]>(y),
        { hasAux: true },
      ),
    ).toThrow(/with hasAux solve must return \[solution, aux\]/);
  });
});

/** x with x² = a by Newton's method, until it stands. */
const newton = (f: (x: Tensor) => Tensor, guess: Tensor): Tensor =>
  whileLoop(
    (x: Tensor) => t.greater(t.abs(f(x)), 1e-5),
    (x: Tensor) => t.sub(x, t.div(f(x), t.mul(x, 2))),
    guess,
    { maxIterations: 20 },
  );

const root = (a: Tensor, guess: Tensor): Tensor =>
  customRoot(
    (x: Tensor) => t.sub(t.square(x), a),
    guess,
    newton,
    (g, y) => t.div(y, g(t.onesLike(y))),
  );

const rootOf = (a: Tensor): Tensor => root(a, at(1.5));

describe("customRoot", () => {
  test("finds a root and differentiates the equation, to the second order, in both modes", async () => {
    const a = at(6.25);
    close(await rootOf(a).toArray(), [2.5]);
    close(await grad(rootOf)(a).toArray(), [0.2]);
    close(await jacfwd(rootOf)(a).toArray(), [0.2]);
    const second = [-1 / (4 * 6.25 ** 1.5)];
    close(await grad(grad(rootOf))(a).toArray(), second);
    close(await jacfwd(jacfwd(rootOf))(a).toArray(), second);
    close(await jacfwd(grad(rootOf))(a).toArray(), second);
    close(await jit(grad(jacfwd(rootOf)))(a).toArray(), second);
  });

  test("the guess has no derivative, and may differ between examples", async () => {
    const [a, guesses] = [at([6.25, 9, 2.25]), at([1.5, 2, 1])];
    close(await vmap(root)(a, guesses).toArray(), [2.5, 3, 1.5]);
    close(await vmap(grad(root))(a, guesses).toArray(), [0.2, 1 / 6, 1 / 3]);
    close(await jit(vmap(grad(root), { inAxes: [0, null] }))(a, at(2.0)).toArray(), [0.2, 1 / 6, 1 / 3]);
    close(await grad(root, { argnums: 1 })(at(6.25), at(1.5)).toArray(), [0]);
    close(await vmap(jacfwd(root), { inAxes: [0, null] })(a, at(1.5)).toArray(), [0.2, 1 / 6, 1 / 3]);
  });

  test("a system, by the Jacobian that tangentSolve makes of g", async () => {
    // A x + 0.1 x³ = b
    const system = (a: Tensor, b: Tensor): Tensor =>
      customRoot(
        (x: Tensor) => t.sub(t.add(t.matmul(a, x), t.mul(t.power(x, 3), 0.1)), b),
        t.zeros([3]),
        (f, guess) =>
          whileLoop(
            (x: Tensor) => t.greater(t.max(t.abs(f(x))), 1e-5),
            (x: Tensor) => t.sub(x, t.mul(f(x), 0.15)),
            guess,
            { maxIterations: 200 },
          ),
        (g, y) => t.linalg.solve(jacfwd(g)(y), y),
      );
    const [value, pull] = vjp(system, at(A), at(B));
    const x = (await value.toArray()) as number[]; // a vector
    const jacobian = A.map((row, k) => row.map((entry, j) => entry + (j === k ? 0.3 * (x[k] ?? 0) ** 2 : 0)));
    const back = solve64(transposed(jacobian), CT);
    const [a, b] = pull(at(CT));
    close(await b.toArray(), back, 4);
    close(
      await a.toArray(),
      back.flatMap((row) => x.map((entry) => -row * entry)),
      4,
    );
    const [, tangent] = jvp((b: Tensor) => system(at(A), b), [at(B)], [at(CT)]);
    close(await tangent.toArray(), solve64(jacobian, CT), 4);
  });

  test("trees, aux and refusals", async () => {
    const [found, rounds] = customRoot(
      (p: { x: Tensor }) => ({ x: t.sub(p.x, 3) }),
      { x: at(1.5) },
      (_f, p) => [{ x: t.add(p.x, 1.5) }, at(1)] as const,
      (_g, y) => y,
      { hasAux: true },
    );
    expect([await found.x.item(), await rounds.item()]).toEqual([3, 1]);
    const same = (_g: unknown, y: Tensor): Tensor => y;
    expect(() =>
      customRoot(
        (x: Tensor) => x,
        t.array([1, 2]),
        (_f, x) => x,
        same,
      ),
    ).toThrow(DtypeError);
    expect(() =>
      customRoot(
        (x: Tensor) => t.sum(x),
        t.ones([2]),
        (_f, x) => x,
        same,
      ),
    ).toThrow(/customRoot: f must give what is like the guess/);
    expect(() =>
      customRoot(
        (x: Tensor) => x,
        t.ones([2]),
        (_f, x) => t.sum(x),
        same,
      ),
    ).toThrow(ShapeError);
    expect(() => customRoot(wrong<() => Tensor>(3), t.ones([2]), (_f, x) => x, same)).toThrow(ArgumentError);
  });
});

describe("closureConvert", () => {
  test("what f closed over becomes arguments that can be differentiated", async () => {
    const [w, order] = [at([2.5, 3]), t.array([1, 0])];
    const [f, constants] = closureConvert((x: Tensor) => t.take(t.mul(x, w), order), t.ones([2]));
    // Integers stay where they are.
    expect([constants.length, constants[0] === w]).toEqual([1, true]);
    expect(await f(at([1, 10]), w).toArray()).toEqual([30, 2.5]);
    const slope = grad((v: Tensor) => t.sum(f(at([1.5, 10]), v)))(w);
    expect(await slope.toArray()).toEqual([1.5, 10]);
    expect(() => f(t.ones([3]), w)).toThrow(ShapeError);
    expect(() => f(t.ones([2]))).toThrow(/takes 1 arguments and 1 constants, received 0 constants/);
  });

  test("finds what a gradient around it follows", async () => {
    const outer = (w: Tensor): Tensor => {
      const [f, constants] = closureConvert((x: Tensor) => t.mul(x, t.square(w)), at(1.5));
      return f(at(1.5), ...constants);
    };
    expect(await grad(outer)(at(2.5)).item()).toBe(7.5);
  });
});

describe("customGradient", () => {
  const f = customGradient((x: Tensor, y: Tensor): [Tensor, (ct: Tensor) => [Tensor, null]] => {
    const product = t.mul(x, y);
    // Wrong on purpose, and of what the function computed.
    return [product, (ct) => [t.mul(ct, t.mul(product, 100)), null]];
  });

  test("the rule closes over what the function computed", async () => {
    expect(await f(at(2.5), at(3)).item()).toBe(7.5);
    const [dx, dy] = grad(f, { argnums: [0, 1] })(at(2.5), at(3.5));
    expect([await dx?.item(), await dy?.item()]).toEqual([875, 0]);
    expect(await jit(grad(f))(at(2.5), at(3.5)).item()).toBe(875);
    expect(await vmap(grad(f), { inAxes: [0, null] })(at([2.5, 1.5]), at(2.0)).toArray()).toEqual([500, 300]);
    const all = (x: Tensor): Tensor => t.sum(vmap(f, { inAxes: [0, null] })(x, at(2.0)));
    expect(await grad(all)(at([2.5, 1.5])).toArray()).toEqual([500, 300]);
  });

  test("one argument's cotangent may come by itself; the rule can be differentiated", async () => {
    const square = customGradient((x: Tensor): [Tensor, (ct: Tensor) => Tensor] => [
      t.square(x),
      (ct) => t.mul(ct, t.power(x, 3)),
    ]);
    expect(await grad(square)(at(2.5)).item()).toBe(15.625);
    expect(await grad(grad(square))(at(2.5)).item()).toBe(18.75);
  });

  test("refusals", () => {
    const bad = customGradient((x: Tensor) => wrong<[Tensor, () => null]>(x));
    expect(() => bad(at(1.5))).toThrow(/customGradient: the function must return \[value, rule\]/);
    expect(() => jvp(f, [at(1.5), at(2.5)], [at(1.5), at(1.5)])).toThrow(ArgumentError);
  });
});
