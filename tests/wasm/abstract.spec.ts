/** Constants without a type, in vectors and arrays: what each program gives on Dawn, and here; what Dawn refuses is refused. */
import { describe, expect, test } from "vitest";
import { refusal, runWasm } from "./compiler-kit.ts";
import { GIVEN, program, REFUSED } from "./abstract-programs.ts";

function run(code: string): number[] {
  const { results } = runWasm(code, [Float32Array.of(3, 5), new Float32Array(8)], [1, 1, 1]);
  return [...new Float32Array((results[1] ?? new Uint32Array()).buffer)];
}

describe("constructors of constants", () => {
  test.each(GIVEN)("$body", ({ body, y, helpers }) => {
    expect(run(program(body, helpers))).toEqual([...y, ...new Array<number>(8 - y.length).fill(0)]);
  });
});

describe("what has no type in common, or does not fit it, is refused with its place", () => {
  test.each(REFUSED)("$rule: $body", ({ rule, body, column, helpers }) => {
    const error = refusal(program(body, helpers));
    expect([error?.rule, error?.line, error?.column]).toEqual([rule, 5, column]);
  });
});
