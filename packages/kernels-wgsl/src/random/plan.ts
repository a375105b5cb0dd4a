import { ceilDiv, foldGrid } from "../launch.ts";
import type { PlanLimits, Stage, Width } from "../stage.ts";
import { bits } from "./bits.wgsl.gen.ts";

/** Random bits `[keys, count]`: each key counts its elements from 0. */
export interface BitsSpec {
  /** Elements of each key. */
  readonly count: number;
  /** How many keys, one after another in the buffer of keys. */
  readonly keys: number;
  /** The key in that buffer to start at. Default 0. */
  readonly firstKey?: number;
}

const GROUP = 128;

/**
 * The dispatches that compute `random.bits`: one, or one for every 65,535 keys; none when nothing is wanted.
 *
 * Stages bind the buffer of keys (u32 pairs) in group 0. Append `fn store(i: u32, bits: U)` and its bindings to
 * `consts`; `U` is u32 for `storeWidth` 1 and vec4u for 4, i counts U in the row-major result.
 *
 * @throws Error when a number is not whole, or there are more elements than a u32 counts.
 * @example
 * planBits({ count: 200704, keys: 1 }, limits).length; // 1
 */
export function planBits({ count, keys, firstKey = 0 }: BitsSpec, limits: PlanLimits): readonly Stage[] {
  for (const [name, value] of Object.entries({ count, keys, firstKey })) {
    if (!Number.isInteger(value) || value < 0) {
      throw new Error(`bits: ${name} is ${value}; it takes a whole number of 0 or more`);
    }
  }
  if (count * keys > 0xffffffff) {
    throw new Error(`bits: ${keys} x ${count} elements; at most 4294967295 can be counted`);
  }
  if (count === 0) return [];
  const width: Width = count % 4 === 0 ? 4 : 1;
  const n = count / width;
  const group = Math.min(GROUP, limits.maxComputeInvocationsPerWorkgroup);
  const [x, y] = foldGrid(ceilDiv(n, group), limits.maxComputeWorkgroupsPerDimension);
  const batch = limits.maxComputeWorkgroupsPerDimension;
  return Array.from({ length: ceilDiv(keys, batch) }, (_, k): Stage => {
    const done = k * batch;
    return {
      kernel: bits,
      consts: bitsConsts(width, group),
      params: { n, first_key: firstKey + done, first_element: done * n },
      grid: [x, y, Math.min(batch, keys - done)],
      storeWidth: width,
      reads: "operands",
      writes: "results",
      workspaceElements: 0,
    };
  });
}

function bitsConsts(width: Width, group: number): string {
  const counters = width === 4 ? "vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u)" : "i";
  return [
    `alias U = ${width === 4 ? "vec4u" : "u32"};`,
    `const GROUP = ${group}u;`,
    `fn counters(i: u32) -> U { return ${counters}; }`,
  ].join("\n");
}
