/** How a matrix product runs where one core takes a workgroup's invocations one after another, with registers of four lanes. */
import { ceilDiv, foldGrid } from "../launch.ts";
import type { PlanLimits, Stage, Width } from "../stage.ts";
import type { Batch, View } from "./operand.ts";
import { inVec4, isAligned } from "./operand.ts";
import { pack } from "./pack.wgsl.gen.ts";
import { tile } from "./tile.wgsl.gen.ts";

/** What the tiles need to know of a product. */
export interface TileProblem {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly z: Batch;
  readonly a: View;
  readonly b: View;
  readonly limits: PlanLimits;
  /** `alias T` and `alias T4`. */
  readonly aliases: string;
  readonly float: boolean;
}

/** Rows and columns of a tile. */
const ROWS = 4;
const COLUMNS = 8;
/** Tiles below one another in a workgroup: the columns of b that they share stay in the nearest cache. */
const GROUP = 8;
/** Along k, in a workgroup that packs. */
const PACK_GROUP = 64;
/** Rows that pay for packing b: each element is moved once, and then read once for every ROWS of them. */
const WORTH_PACKING = 32;

/** One dispatch on b as it lies, if its rows are whole aligned vec4s and few rows of a use it; else b is packed first. */
export function planTile(problem: TileProblem): readonly Stage[] {
  const { m, n, b, k } = problem;
  const direct = b.stride === 1 && n % 4 === 0 && isAligned(b, b.step) && m < WORTH_PACKING;
  if (direct || k === 0) {
    const rows = inVec4(b, ["step"]);
    return [tileStage(problem, rows.base, COLUMNS / 4, rows.step, rows.batch, "operands")];
  }
  // Batch axes that b does not walk need one packed copy only.
  const copies = b.batch.every((stride) => stride === 0) ? 1 : problem.z.count;
  const panels = ceilDiv(n, COLUMNS);
  const size = panels * k * 2;
  const { d0, d1 } = problem.z;
  const strides = copies === 1 ? ([0, 0, 0] as const) : ([size, size * d0, size * d0 * d1] as const);
  return [packStage(problem, copies, panels), tileStage(problem, 0, k * 2, COLUMNS / 4, strides, "workspace")];
}

function packStage({ n, k, z, b, limits, aliases }: TileProblem, copies: number, panels: number): Stage {
  const blocks = ceilDiv(k, PACK_GROUP);
  const [b0, b1, b2] = b.batch;
  return {
    kernel: pack,
    consts: `const GX = ${PACK_GROUP}u;\n${aliases}\nalias V = T4;\n`,
    params: {
      ...{ n, k, bBase: b.base, bCol: b.stride, bStep: b.step },
      ...{ d0: z.d0, d1: z.d1, b0, b1, b2, batch: copies, panels, blocks },
    },
    grid: foldGrid(blocks * panels * copies, limits.maxComputeWorkgroupsPerDimension),
    storeWidth: 4,
    reads: "operands",
    operands: [1],
    writes: "workspace",
    workspaceElements: copies * panels * k * COLUMNS,
  };
}

function tileStage(
  { m, n, k, z, a, limits, aliases, float }: TileProblem,
  bBase: number,
  bPanel: number,
  bStep: number,
  [b0, b1, b2]: readonly [number, number, number],
  reads: Stage["reads"],
): Stage {
  const width: Width = n % 4 === 0 ? 4 : 1;
  const group = Math.min(GROUP, ceilDiv(m, ROWS));
  const panels = ceilDiv(n, COLUMNS);
  const blocks = ceilDiv(m, ROWS * group);
  const [a0, a1, a2] = a.batch;
  return {
    kernel: tile,
    consts: [
      `const GX = ${group}u;`,
      aliases,
      `alias V = ${width === 4 ? "T4" : "T"};`,
      `fn mad(x: T, y: T4, z: T4) -> T4 { return ${float ? "fma(T4(x), y, z)" : "x * y + z"}; }`,
      width === 4 ? "fn put(i: u32, room: u32, v: T4) { store(i / 4u, v); }\n" : PUT_SCALARS,
    ].join("\n"),
    params: {
      ...{ m, n, k, aBase: a.base, aRow: a.stride, aStep: a.step, bBase, bPanel, bStep },
      ...{ d0: z.d0, d1: z.d1, a0, a1, a2, b0, b1, b2 },
      ...{ batch: z.count, panels, blocks, pieces: (ROWS * COLUMNS) / 4 },
    },
    grid: foldGrid(panels * blocks * z.count, limits.maxComputeWorkgroupsPerDimension),
    storeWidth: width,
    reads,
    operands: reads === "operands" ? [1, 0] : [0],
    writes: "results",
    workspaceElements: 0,
  };
}

const PUT_SCALARS = `fn put(i: u32, room: u32, v: T4) {
  var rest = v;
  for (var j = 0u; j < min(room, 4u); j += 1u) {
    store(i + j, rest.x);
    rest = rest.yzwx;
  }
}
`;
