import { ceilDiv, foldGrid } from "../launch.ts";
import type { PlanLimits, Stage, Width } from "../stage.ts";
import { lines } from "./lines.wgsl.gen.ts";
import { aliases, combineFunction, longestLine, SHORT, type Combine, type ReduceDType } from "./plan.ts";
import type { WgslFunction } from "../kernel.ts";

/** Lines of an array that is [count, reduce] in scalars. */
export interface LinesSpec {
  readonly count: number;
  readonly reduce: number;
  /** Scalars of a line that one step handles: 4 where lines divide by four and every operand can be read so. */
  readonly width: Width;
  /** The dtype of what the passes find; those of one kernel have one. */
  readonly dtype: ReduceDType;
}

/** Up to so many steps along a line, one accumulator is exact enough and soon done. */
export const FEW_STEPS = 16;

/** True if one invocation a line is what the device does best: lines are short, or many. */
export function fitsLines({ count, reduce }: { count: number; reduce: number }, limits: PlanLimits): boolean {
  const loads = reduce % 4 === 0 ? reduce / 4 : reduce;
  // Where barriers are cheap, long lines are better shared by a group.
  return loads <= (limits.cheapBarriers === true ? SHORT : longestLine(count, limits));
}

/** The dispatch that walks every line once; its `line` hook does the passes. */
export function planLines(spec: LinesSpec, limits: PlanLimits): Pick<Stage, "kernel" | "consts" | "params" | "grid"> {
  const { count, reduce, width, dtype } = spec;
  // Hardware wants whole subgroups; a software adapter hands workgroups to its threads, and lines are few.
  const group = limits.tuning?.reduce?.group ?? (limits.cheapBarriers === true ? 64 : 16);
  return {
    kernel: lines,
    consts: `const GROUP = ${group}u;\n${aliases(dtype, width)}`,
    params: { count, reduce: reduce / width },
    grid: foldGrid(ceilDiv(count, group), limits.maxComputeWorkgroupsPerDimension),
  };
}

/**
 * One pass as text: `begin` before its loop, `step(value)` in it, `end` after it, whose last statement names the line's
 * value `name`. Four accumulators take turns and are combined as a tree, four lanes as another, as column.wgsl does;
 * a line of a `few` steps has one, for that is half the text to compile.
 */
export function linePass(
  name: string,
  combine: Combine,
  dtype: ReduceDType,
  width: Width,
  identity: string,
  few: boolean,
): { begin: string; step(value: string): string; end: string; functions: readonly WgslFunction[] } {
  const fn = combineFunction(combine, dtype);
  const [a, b, c, d] = ["a", "b", "c", "d"].map((letter) => `${letter}_${name}`);
  const tree = few ? a : `${fn.name}(${fn.name}(${a}, ${b}), ${fn.name}(${c}, ${d}))`;
  const folded = [
    `let v_${name} = ${tree};`,
    `let w_${name} = ${fn.name}(v_${name}, v_${name}.zwxy);`,
    `let f_${name} = ${fn.name}(w_${name}, w_${name}.yxwz).x;`,
  ];
  return {
    begin: (few ? [a] : [a, b, c, d]).map((one) => `  var ${one} = V(bitcast<T>(${identity}));\n`).join(""),
    step: (value) =>
      few
        ? `    ${a} = ${fn.name}(${a}, ${value});\n`
        : `    let n_${name} = ${fn.name}(${a}, ${value});\n    ${a} = ${b};\n    ${b} = ${c};\n    ${c} = ${d};\n    ${d} = n_${name};\n`,
    end: (width === 4 ? folded : [`let f_${name} = ${tree};`]).map((line) => `  ${line}\n`).join(""),
    functions: [fn],
  };
}
