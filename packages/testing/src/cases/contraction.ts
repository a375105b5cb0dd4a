import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import * as r from "../reference.ts";
import { EVERY, shapedRow, type ShapedRow } from "./rows.ts";

const tolerance = { ulp: 4, abs: 1e-5 };
const options = { tolerance, differentiable: true };

/** "2x3 () 4": the shapes of a row's operands. */
function shapesOf(text: string): number[][] {
  return text.split(" ").map((one) => (one === "()" ? [] : one.split("x").map(Number)));
}

/** A row held against nested loops over the labels of an equation. */
function row(name: string, label: string, shapes: string, run: ShapedRow["run"], equation: string): ShapedRow {
  return shapedRow(name, label, shapesOf(shapes), run, (...xs) => r.einsum(equation, ...xs), options);
}

/** Equations as a user writes them; the oracle takes them with ellipses spelt out. */
const equations: readonly (readonly [equation: string, shapes: string, spelt?: string])[] = [
  ["ij,jk->ik", "3x4 4x5"],
  ["ij,kj->ki", "3x4 5x4"],
  ["ij,jk", "3x4 4x5", "ij,jk->ik"],
  ["ba", "2x3", "ba->ab"],
  ["ii", "4x4", "ii->"],
  ["ii->i", "4x4"],
  ["ijij->ji", "2x3x2x3"],
  ["iii->", "3x3x3"],
  ["ij->j", "3x4"],
  ["i,j->ij", "3 4"],
  ["i,i->i", "5 5"],
  ["i,i->", "70 70"],
  ["bi,bi->b", "3x70 3x70"],
  ["bqhd,bkhd->bhqk", "2x3x4x5 2x6x4x5"],
  ["bhqk,bkhd->bqhd", "2x4x3x6 2x6x4x5"],
  ["abc,cd,de->abe", "2x3x4 4x5 5x2"],
  ["ij,jk,kl,lm,mn->in", "2x5 5x3 3x4 4x3 3x2"],
  ["a,b,c,d,e,f->", "2 3 2 1 2 3"],
  ["ab,bc,ca->", "3x4 4x2 2x3"],
  ["...ij,...jk->...ik", "2x1x3x4 5x4x2", "xyij,yjk->xyik"],
  ["...i->...", "2x3x4", "xyi->xy"],
  ["i...->...i", "2x3x4", "ixy->xyi"],
  ["...,...", "2x1 3", "xy,y->xy"],
  ["ij,ij->ij", "1x3 2x3"],
  ["ij,jk->ik", "3x1 4x5"],
  ["ij,ik->k", "3x4 3x5"],
  ["ab,cd->dbca", "2x3 4x2"],
  ["iji,jk->ik", "3x4x3 4x2"],
  [" i j , j k -> i k ", "2x3 3x2", "ij,jk->ik"],
  ["ij,jk->ik", "0x4 4x3"],
  ["ij,jk->ik", "2x0 0x3"],
];

const einsums = equations.map(([equation, shapes, spelt = equation]) =>
  row("einsum", `${equation} of ${shapes}`, shapes, (...xs) => t.einsum(equation, ...xs), spelt),
);

const paths = (["optimal", "greedy", true, false] as const).map((optimize) =>
  row(
    "einsum",
    `optimize ${optimize}`,
    "2x3 3x4 4x2 2x5",
    (...xs) => t.einsum("ij,jk,ki,il->l", ...xs, { optimize }),
    "ij,jk,ki,il->l",
  ),
);

type Numbers = Parameters<typeof t.dotGeneral>[2];

/** Dimension numbers as JSON, and what they mean. */
const generals: readonly (readonly [numbers: string, shapes: string, equation: string])[] = [
  ["[[[1],[0]],[[],[]]]", "3x4 4x5", "ij,jk->ik"],
  ["[[[0],[1]],[[],[]]]", "4x3 5x4", "ki,jk->ij"],
  ["[[[],[]],[[],[]]]", "2x3 4", "ij,k->ijk"],
  ["[[[0,2],[2,0]],[[],[]]]", "2x3x4 4x5x2", "aib,bja->ij"],
  ["[[[2,0],[0,2]],[[],[]]]", "2x3x4 4x5x2", "aib,bja->ij"],
  ["[[[2],[1]],[[0],[0]]]", "2x3x4 2x4x5", "bik,bkj->bij"],
  ["[[[1],[2]],[[2,0],[0,1]]]", "2x4x3 3x2x4x5", "bka,abkj->abj"],
  ["[[[-1],[-1]],[[0],[0]]]", "2x3x4 2x5x4", "bik,bjk->bij"],
  ["[[[1],[1]],[[0],[0]]]", "6x70 6x70", "bk,bk->b"],
  ["[[[],[]],[[0],[0]]]", "2x3 2x4", "bi,bj->bij"],
  ["[[[0],[0]],[[],[]]]", "0x3 0x2", "ki,kj->ij"],
  ["[[[4],[4]],[[0,1,2,3],[0,1,2,3]]]", "2x1x3x2x4x2 2x1x3x2x4x3", "abcdki,abcdkj->abcdij"],
];

const dotGenerals = generals.map(([numbers, shapes, equation]) =>
  row(
    "dotGeneral",
    `${numbers} of ${shapes}`,
    shapes,
    // The table is written in the form that it takes.
    (a, b) => t.dotGeneral(a, b, JSON.parse(numbers) as Numbers),
    equation,
  ),
);

const vectors: readonly ShapedRow[] = [
  row("dot", "of vectors", "70 70", (a, b) => t.dot(a, b), "i,i->"),
  row("dot", "of matrices", "3x4 4x2", (a, b) => t.dot(a, b), "ij,jk->ik"),
  row("dot", "of a matrix and a vector", "3x4 4", (a, b) => t.dot(a, b), "ij,j->i"),
  row("dot", "of many axes", "2x3x4 5x4x2", (a, b) => t.dot(a, b), "abk,ckd->abcd"),
  row("dot", "with a scalar", "() 2x3", (a, b) => t.dot(a, b), ",ij->ij"),
  row("tensordot", "over two axes", "2x3x4 3x4x5", (a, b) => t.tensordot(a, b), "ijk,jkl->il"),
  row("tensordot", "over none", "2 3", (a, b) => t.tensordot(a, b, 0), "i,j->ij"),
  row(
    "tensordot",
    "over pairs",
    "2x3x4 4x5x2",
    (a, b) =>
      t.tensordot(a, b, [
        [2, 0],
        [0, -1],
      ]),
    "ijk,kli->jl",
  ),
  row("tensordot", "over one pair", "2x3 4x2", (a, b) => t.tensordot(a, b, [0, 1]), "ij,ki->jk"),
  row("inner", "of matrices", "2x3 4x3", (a, b) => t.inner(a, b), "ik,jk->ij"),
  row("inner", "of vectors", "5 5", (a, b) => t.inner(a, b), "i,i->"),
  row("inner", "with a scalar", "2x3 ()", (a, b) => t.inner(a, b), "ij,->ij"),
  row("outer", "of matrices", "2x2 3", t.outer, "ab,c->abc"),
  row("vdot", "of matrices", "2x3 2x3", (a, b) => t.vdot(a, b), "ij,ij->"),
  row("vecdot", "broadcast", "2x1x5 3x5", (a, b) => t.vecdot(a, b), "aik,bk->ab"),
  row("vecdot", "along the first axis", "5x2 5x2", (a, b) => t.vecdot(a, b, { axis: 0 }), "ki,ki->i"),
  row("matvec", "broadcast", "2x1x3x4 5x4", t.matvec, "abik,ck->aci"),
  row("vecmat", "broadcast", "5x4 2x1x4x3", t.vecmat, "ck,abki->aci"),
  row("trace", "of a matrix", "4x4", (x) => t.trace(x), "ii->"),
  row("trace", "of two axes among four", "3x2x3x2", (x) => t.trace(x, { axis1: 2, axis2: 0 }), "iaib->ab"),
].map((one) => (one.name === "outer" ? flattened(one) : one));

/** jnp.outer takes its operands as one axis each. */
function flattened(one: ShapedRow): ShapedRow {
  const oracle = (...xs: r.HostArray[]): r.HostArray => {
    const { data } = one.oracle(...xs);
    return { shape: xs.map(({ data: all }) => all.length), data };
  };
  return { ...one, oracle };
}

const diagonal = (x: r.HostArray, offset: number): r.HostArray =>
  r.build([], () => {
    const [rows = 0, columns = 0] = x.shape;
    let total = 0;
    for (let i = 0; i < rows; i++) if (i + offset >= 0 && i + offset < columns) total += r.get(x, [i, i + offset]);
    return total;
  });

const traces = [-5, -2, -1, 1, 2, 4].map((offset) =>
  shapedRow(
    "trace",
    `with offset ${offset}`,
    [[4, 3]],
    (x) => t.trace(x, { offset }),
    (x) => diagonal(x, offset),
    options,
  ),
);

const krons = ["2x3 3x2", "3 2x2", "2x1x2 3", "() 2"].map((shapes) =>
  shapedRow("kron", `of ${shapes}`, shapesOf(shapes), t.kron, kronecker, { differentiable: true }),
);

function kronecker(x: r.HostArray, y: r.HostArray): r.HostArray {
  const rank = Math.max(x.shape.length, y.shape.length);
  const full = (one: r.HostArray): r.HostArray => ({
    ...one,
    shape: [...new Array<number>(rank - one.shape.length).fill(1), ...one.shape],
  });
  const [a, b] = [full(x), full(y)];
  return r.build(
    a.shape.map((extent, k) => extent * (b.shape[k] ?? 1)),
    (at) =>
      r.get(
        a,
        at.map((c, k) => Math.floor(c / (b.shape[k] ?? 1))),
      ) *
      r.get(
        b,
        at.map((c, k) => c % (b.shape[k] ?? 1)),
      ),
  );
}

const crosses: readonly ShapedRow[] = [
  crossRow("of vectors of 3", "3 3"),
  crossRow("broadcast", "2x1x3 4x3"),
  crossRow("of 2 and 3", "5x2 3"),
  crossRow("of vectors of 2", "4x2 2"),
  shapedRow(
    "cross",
    "along the first axis",
    shapesOf("3x4 3x4"),
    (a, b) => t.cross(a, b, { axis: 0 }),
    (a, b) => r.transpose(crossProduct(r.transpose(a, [1, 0]), r.transpose(b, [1, 0])), [1, 0]),
    options,
  ),
];

function crossRow(label: string, shapes: string): ShapedRow {
  return shapedRow("cross", label, shapesOf(shapes), (x, y) => t.cross(x, y), crossProduct, options);
}

function crossProduct(x: r.HostArray, y: r.HostArray): r.HostArray {
  const lead = r.broadcast(x.shape.slice(0, -1), y.shape.slice(0, -1));
  const flat = x.shape.at(-1) === 2 && y.shape.at(-1) === 2;
  const part = (one: r.HostArray, at: readonly number[], k: number): number =>
    k < (one.shape.at(-1) ?? 0) ? r.get(one, [...at, k]) : 0;
  const component = (at: readonly number[], i: number, j: number): number =>
    part(x, at, i) * part(y, at, j) - part(x, at, j) * part(y, at, i);
  if (flat) return r.build(lead, (at) => component(at, 0, 1));
  return r.build([...lead, 3], (at) => {
    const k = at.at(-1) ?? 0;
    return component(at.slice(0, -1), (k + 1) % 3, (k + 2) % 3);
  });
}

/** Products of whole numbers are exact; of bools, whether any pair is true. */
const whole = EVERY.slice(1).map((dtype) =>
  shapedRow(
    "einsum",
    `of ${dtype}`,
    shapesOf("3x4 4x5 5"),
    (...xs: Tensor[]) => t.einsum("ij,jk,k->ik", ...xs),
    (...xs) => {
      const product = r.einsum("ij,jk,k->ik", ...xs);
      return dtype === "bool" ? { ...product, data: product.data.map((x) => Math.min(1, x)) } : product;
    },
    { dtypes: [dtype] },
  ),
);

/** Batch axes that broadcast in turn, more than a kernel walks. */
const alternating = shapedRow(
  "matmul",
  "of batches that broadcast on alternating axes",
  shapesOf("2x1x3x1x2x1x2x3 1x2x1x2x1x2x3x2"),
  (x, y) => t.matmul(x, y),
  r.matmul,
  options,
);

export const contraction: readonly ShapedRow[] = [
  ...einsums,
  ...paths,
  ...dotGenerals,
  ...vectors,
  ...traces,
  ...krons,
  ...crosses,
  ...whole,
  alternating,
];
