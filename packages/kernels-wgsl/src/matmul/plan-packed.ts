/** Large products: operands that run along k are laid by eights first, so that tiles read them in vec4s at each k. */
import type { PlanLimits, Stage } from "../stage.ts";
import type { Batch, View } from "./operand.ts";
import { copiesOf, packStage, PANEL, stridesOf } from "./plan-tile.ts";

/**
 * Multiply-adds, and rows and columns, from which a larger tile pays on software adapters, and one more dispatch that moves each element
 * of an operand once. Measured on no hardware, and not done there.
 */
const LARGE = 1 << 26;
const LONG = 256;
/** Scalars of an operand up to which there is room for it twice. */
const MOST = 1 << 24;

/** An operand across its tiles, which `extent` names: a's rows, or b's columns. */
export interface Across {
  readonly view: View;
  readonly extent: number;
  readonly readers: number;
  /** The op's operand that it is. */
  readonly operand: 0 | 1;
}

export interface PackedOperand {
  readonly stage: Stage;
  /** Where the panels lie, in vec4s. */
  readonly view: View;
}

/** Whether a product is large, and no hardware multiplies it. */
export function isLarge({ extent, readers }: Across, k: number, z: Batch, limits: PlanLimits): boolean {
  const { cheapBarriers } = limits;
  return cheapBarriers !== true && extent * readers * k * z.count >= LARGE && Math.min(extent, readers) >= LONG;
}

/** Whether an operand of it that is not contiguous across its tiles is to be packed. */
export function paysToPack(one: Across, k: number, z: Batch, limits: PlanLimits): boolean {
  const { extent } = one;
  return isLarge(one, k, z, limits) && extent % PANEL === 0 && extent * k * z.count <= MOST;
}

/** The dispatch that packs it, and how a tile finds it then. */
export function packOperand(
  { view, extent, operand }: Across,
  k: number,
  z: Batch,
  limits: PlanLimits,
  aliases: string,
): PackedOperand {
  const copies = copiesOf(z, view);
  const stage = packStage({ k, extent, view, wide: false, operand, copies, limits, aliases, z, pitch: k });
  return { stage, view: { stride: 0, step: PANEL / 4, base: 0, batch: stridesOf(z, copies, (extent * k) / 4) } };
}

/** Four neighbours of a packed operand at one k: half a panel; past the edge the last panel again. */
export function packedAddressing(at: string, load: string, name: string, extent: string): string {
  return `fn ${at}(i: u32) -> vec4u { return vec4u(min(i, p.${extent} - 1u) / 8u * (2u * p.k) + (i & 4u) / 4u); }
fn ${load}(at: vec4u) -> T4 { return ${name}[at.x]; }`;
}
