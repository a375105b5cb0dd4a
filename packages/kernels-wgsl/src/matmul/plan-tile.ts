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

/** Rows of a and columns of b in a tile. */
export const ROWS = 4;
const COLUMNS = 8;
/** Tiles below one another in a workgroup: the columns of b that they share stay in the nearest cache. */
const GROUP = 8;
/** Along k, in a workgroup that packs. */
const PACK_GROUP = 64;
/** Columns or rows that pack.wgsl lays side by side. */
export const PANEL = 8;
/** Panels whose distance is a multiple of this many k share sets of the nearest cache: they are moved apart by a few. */
const ALIASED = 256;
const APART = 8;
/**
 * Rows that pay for packing b, columns that pay for packing a: each element is moved once, and then read once a tile. Where rows of a
 * run along k, packing saves a tile three of 29 instructions a step: more columns pay for it.
 */
const ROWS_WORTH = 32;
const COLUMNS_WORTH = { apart: 64, contiguous: 512 } as const;

/** k times panels of b, of 32 bytes each, that a core keeps in its second cache. */
const STRIP = 1 << 14;

/** Where a tile finds an operand. */
interface Place {
  /** How many lie side by side at each k: a's rows by `PANEL` as pack.wgsl leaves them, or by ROWS; none where it lies as it came. */
  readonly packed: 0 | typeof ROWS | typeof PANEL;
  readonly base: number;
  readonly batch: readonly [number, number, number];
}

/** The product, after the dispatches that pack an operand, if enough tiles read it. Their workspaces are b's, then a's. */
export function planTile(problem: TileProblem): readonly Stage[] {
  const { m, n, k, a, b, limits, aliases } = problem;
  const whole = b.stride === 1 && n % 4 === 0 && isAligned(b, b.step);
  const packB = k > 0 && !(whole && m < ROWS_WORTH);
  const packA = packB && n >= (a.step === 1 ? COLUMNS_WORTH.contiguous : COLUMNS_WORTH.apart);
  const rows = inVec4(b, ["step"]);
  const inB: Place = packB ? packedPlace(problem, n, b) : { packed: 0, base: rows.base, batch: rows.batch };
  // Counted in scalars, of which a vec4 of the workspace has four.
  const inA: Place = packA ? packedPlace(problem, m, a, 4) : { packed: 0, base: a.base, batch: a.batch };
  const pack = (operand: 0 | 1, extent: number, view: View): Stage => {
    const wide = view.stride === 1 && extent % 4 === 0 && isAligned(view, view.step);
    return packStage({
      k,
      extent,
      view,
      wide,
      operand,
      copies: copiesOf(problem.z, view),
      limits,
      aliases,
      z: problem.z,
    });
  };
  const packs = [...(packB ? [pack(1, n, b)] : []), ...(packA ? [pack(0, m, a)] : [])];
  return [...packs, tileStage(problem, inA, inB)];
}

/** The product of what two packing dispatches left: b's workspace first, then a's, in which four rows lie side by side. */
export function productOfPacked(problem: Omit<TileProblem, "a" | "b" | "z">): Stage {
  const nowhere = { stride: 0, step: 0, base: 0, batch: NO_STRIDES };
  const place = { base: 0, batch: NO_STRIDES };
  const z = { count: 1, d0: 1, d1: 1, a: NO_STRIDES, b: NO_STRIDES };
  return tileStage({ ...problem, a: nowhere, b: nowhere, z }, { packed: ROWS, ...place }, { packed: PANEL, ...place });
}

const NO_STRIDES = [0, 0, 0] as const;

/** From one panel of pack.wgsl's to the next, in k. */
function pitchOf(k: number): number {
  return k > 0 && k % ALIASED === 0 ? k + APART : k;
}

/** How often an operand is packed: batch axes that it does not walk need one copy only. */
export function copiesOf(z: Batch, { batch }: View): number {
  return batch.every((stride) => stride === 0) ? 1 : z.count;
}

/** Batch strides of so many packed copies, each of one size. */
export function stridesOf(z: Batch, copies: number, size: number): readonly [number, number, number] {
  return copies === 1 ? NO_STRIDES : [size, size * z.d0, size * z.d0 * z.d1];
}

function packedPlace({ z, k }: TileProblem, extent: number, view: View, units = 1): Place {
  const size = ceilDiv(extent, PANEL) * pitchOf(k) * (PANEL / 4) * units;
  return { packed: PANEL, base: 0, batch: stridesOf(z, copiesOf(z, view), size) };
}

/** An operand to be packed: columns of b or rows of a, by eights. */
export interface Packing {
  readonly k: number;
  /** Columns or rows. */
  readonly extent: number;
  readonly view: View;
  /** Four neighbours are one aligned vec4. */
  readonly wide: boolean;
  /** The op's operand that it is. */
  readonly operand: number;
  readonly copies: number;
  readonly limits: PlanLimits;
  readonly aliases: string;
  /** From one panel to the next, in k: by default what a nearest cache likes. */
  readonly pitch?: number;
  readonly z?: Batch;
  /** Of a convolution's window: what `along` reads. */
  readonly inner?: Readonly<Record<"channels" | "kw" | "kh" | "sW" | "sH" | "sD", number>>;
}

export function packStage({ k, extent, wide, copies, limits, aliases, z, inner, ...rest }: Packing): Stage {
  const { pitch = pitchOf(k) } = rest;
  const { stride, step: scalars } = rest.view;
  const turned = !wide && inner === undefined && scalars === 1 && k % 4 === 0 && isAligned(rest.view, stride);
  const panels = ceilDiv(extent, PANEL);
  const steps = turned ? 4 : 1;
  // Where the operand is read across its panels, two of them are a cache line.
  const together = wide ? 2 : 1;
  const [blocks, lines] = [ceilDiv(k, PACK_GROUP * steps), ceilDiv(panels, together)];
  const view = turned ? inVec4(rest.view, ["stride"]) : wide ? inVec4(rest.view, ["step"]) : rest.view;
  const [x0, x1, x2] = view.batch;
  const units = wide ? 4 : 1;
  const { channels = 1, kw = 1, kh = 1, sW = 0, sH = 0, sD = 0 } = inner ?? {};
  return {
    kernel: pack,
    consts: [
      `const GX = ${PACK_GROUP}u;\nconst STEP = ${steps}u;\nconst PANELS = ${together}u;`,
      `${aliases}\nalias V = T4;\nalias X = ${wide || turned ? "T4" : "T"};`,
      `fn along(k: u32) -> u32 {${turned ? " return k / 4u; " : inner === undefined ? " return k * p.step; " : ALONG_WINDOW}}`,
      turned ? MOVE_TURNED : moveOne(wide),
    ].join("\n"),
    params: {
      ...{ extent, k, pitch, base: view.base >>> 0, stride: view.stride >>> 0, step: view.step >>> 0 },
      ...{ d0: z?.d0 ?? 1, d1: z?.d1 ?? 1, x0, x1, x2, batch: copies, panels, lines, blocks },
      ...{ channels, kw, kh, sW: (sW / units) >>> 0, sH: (sH / units) >>> 0, sD: (sD / units) >>> 0 },
    },
    grid: foldGrid(blocks * lines * copies, limits.maxComputeWorkgroupsPerDimension),
    storeWidth: 4,
    reads: "operands",
    operands: [rest.operand],
    writes: "workspace",
    workspaceElements: copies * panels * pitch * PANEL,
  };
}

const ALONG_WINDOW = `
  let tap = k / p.channels;
  let line = tap / p.kw;
  let depth = line / p.kh;
  let w = tap - line * p.kw;
  let h = line - depth * p.kh;
  return (k - tap * p.channels) * p.step + w * p.sW + h * p.sH + depth * p.sD;
`;
/** The j-th vec4 of the line of panels that begins with `first`, at k. */
function moveOne(wide: boolean): string {
  const apart = `T4(x[at.x], x[at.y], x[at.z], x[at.w])`;
  return `fn carry(z: u32, first: u32, k: u32, base: u32, j: u32) {
  let panel = first + j / 2u;
  if (panel < p.panels) {
    let i = first * 8u + j * 4u;
    ${wide ? "" : "let at = min(i + vec4u(0u, 1u, 2u, 3u), vec4u(p.extent - 1u)) * p.stride + base;"}
    store(((z * p.panels + panel) * p.pitch + k) * 2u + j % 2u, ${wide ? "x[base + min(i, p.extent - 4u) / 4u]" : apart});
  }
}
`;
}

/** The same at k and the three after it, read as vec4s along k. */
const MOVE_TURNED = `fn carry(z: u32, first: u32, k: u32, base: u32, j: u32) {
  let panel = first + j / 2u;
  if (panel < p.panels) {
    let at = min(first * 8u + j * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(p.extent - 1u)) * p.stride + base;
    let q = x[at.x];
    let r = x[at.y];
    let s = x[at.z];
    let t = x[at.w];
    let goal = ((z * p.panels + panel) * p.pitch + k) * 2u + j % 2u;
    store(goal, T4(q.x, r.x, s.x, t.x));
    store(goal + 2u, T4(q.y, r.y, s.y, t.y));
    store(goal + 4u, T4(q.z, r.z, s.z, t.z));
    store(goal + 6u, T4(q.w, r.w, s.w, t.w));
  }
}
`;

function tileStage({ m, n, k, z, a, b, limits, aliases, float }: TileProblem, inA: Place, inB: Place): Stage {
  const width: Width = n % 4 === 0 ? 4 : 1;
  const group = Math.min(GROUP, ceilDiv(m, ROWS));
  const panels = ceilDiv(n, COLUMNS);
  const blocks = ceilDiv(m, ROWS * group);
  const strips = Math.max(1, ceilDiv(panels * k, STRIP));
  const strip = ceilDiv(panels, strips);
  const [a0, a1, a2] = inA.batch;
  const [b0, b1, b2] = inB.batch;
  return {
    kernel: tile,
    consts: [
      `const GX = ${group}u;`,
      aliases,
      `alias V = ${width === 4 ? "T4" : "T"};`,
      `fn mad(x: T, y: T4, z: T4) -> T4 { return ${float ? "fma(T4(x), y, z)" : "x * y + z"}; }`,
      inA.packed === PANEL ? PACKED_A : inA.packed === ROWS ? PACKED_BY_FOURS : plainA(a.step === 1),
      inB.packed === 0 ? PLAIN_B : PACKED_B,
      width === 4 ? "fn put(i: u32, room: u32, v: T4) { store(i / 4u, v); }\n" : PUT_SCALARS,
    ].join("\n"),
    params: {
      ...{ m, n, k, aBase: inA.base, aRow: inA.packed === PANEL ? pitchOf(k) * PANEL : a.stride, aStep: a.step },
      ...{
        bBase: inB.base,
        bPanel: inB.packed === 0 ? COLUMNS / 4 : pitchOf(k) * 2,
        bStep: inB.packed === 0 ? b.step / 4 : 2,
      },
      ...{ d0: z.d0, d1: z.d1, a0, a1, a2, b0, b1, b2 },
      ...{ batch: z.count, panels, blocks, strip, strips, pieces: (ROWS * COLUMNS) / 4 },
    },
    grid: foldGrid(strip * strips * blocks * z.count, limits.maxComputeWorkgroupsPerDimension),
    storeWidth: width,
    reads: inB.packed === 0 ? "operands" : "workspace",
    operands: inB.packed === 0 ? [1, 0] : inA.packed === 0 ? [0] : [],
    writes: "results",
    workspaceElements: 0,
  };
}

const PACKED_A = `fn rowsAt(row: u32) -> vec4u { return row / 8u * p.aRow + (row & 4u) + vec4u(0u, 1u, 2u, 3u); }
fn stepA() -> u32 { return 8u; }`;
const PACKED_BY_FOURS = `fn rowsAt(row: u32) -> vec4u { return row * p.k + vec4u(0u, 1u, 2u, 3u); }
fn stepA() -> u32 { return 4u; }`;
/** With a step known as text where it is 1: as good as packed. */
const plainA = (contiguous: boolean): string =>
  `fn rowsAt(row: u32) -> vec4u { return min(row + vec4u(0u, 1u, 2u, 3u), vec4u(p.m - 1u)) * p.aRow; }
fn stepA() -> u32 { return ${contiguous ? "1u" : "p.aStep"}; }`;
const PACKED_B = `fn highOf(low: u32, col: u32) -> u32 { return low + 1u; }
fn stepB() -> u32 { return 2u; }`;
const PLAIN_B = `fn highOf(low: u32, col: u32) -> u32 { return low + select(0u, 1u, col + 4u < p.n); }
fn stepB() -> u32 { return p.bStep; }`;

const PUT_SCALARS = `fn put(i: u32, room: u32, v: T4) {
  var rest = v;
  for (var j = 0u; j < min(room, 4u); j += 1u) {
    store(i + j, rest.x);
    rest = rest.yzwx;
  }
}
`;
