import { activations } from "./cases/activations.ts";
import { attention } from "./cases/attention.ts";
import { statistics } from "./cases/statistics.ts";
import { arrange } from "./cases/arrange.ts";
import { contraction } from "./cases/contraction.ts";
import { conv } from "./cases/conv.ts";
import { create } from "./cases/create.ts";
import { dimensionNumbers } from "./cases/dimension-numbers.ts";
import { editing } from "./cases/editing.ts";
import { elementwise } from "./cases/elementwise.ts";
import { indexing } from "./cases/indexing.ts";
import { join } from "./cases/join.ts";
import { lax } from "./cases/lax.ts";
import { laxMore } from "./cases/lax-more.ts";
import { linearAlgebra } from "./cases/linalg.ts";
import { matmul } from "./cases/matmul.ts";
import { structuredMatrices } from "./cases/matrices.ts";
import { movement } from "./cases/movement.ts";
import { normalize } from "./cases/normalize.ts";
import { placing } from "./cases/placing.ts";
import { polynomials, tapers } from "./cases/polynomials.ts";
import { real } from "./cases/real.ts";
import { reduce } from "./cases/reduce.ts";
import { special } from "./cases/special.ts";
import { ufuncs } from "./cases/ufuncs.ts";
import { scan, sort } from "./cases/scan.ts";
import type { Row } from "./cases/rows.ts";
import { window } from "./cases/window.ts";

/** The op table by family: what each public function of @jnx/tensor must give, and in which cases it is tried. */
export const cases = {
  activations,
  arrange,
  attention,
  contraction,
  conv,
  create,
  dimensionNumbers,
  editing,
  elementwise,
  indexing,
  join,
  lax,
  laxMore,
  linearAlgebra,
  matmul,
  movement,
  normalize,
  placing,
  polynomials,
  real,
  reduce,
  special,
  ufuncs,
  window,
  scan,
  sort,
  statistics,
  structuredMatrices,
  tapers,
} as const;

export const rows: readonly Row[] = Object.values(cases).flat();
export type { Domain, MapRow, Operand, Row, ShapedRow } from "./cases/rows.ts";
