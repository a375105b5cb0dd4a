/** Which kernels get immediates, and what their text becomes. Needs no device. */
import { describe, expect, test } from "vitest";
import type { LinkedKernel } from "@jnx/kernels-wgsl";
import { launchLayout } from "../../packages/tensor/src/device/checks.ts";
import { KERNELS, linked } from "../wasm/all-kernels.ts";
import { uniformWords, withImmediates, withPlaces } from "../../packages/tensor/src/device/webgpu/immediates.ts";

const layout = { bytes: 8, fields: ["n", "k"].map((name, i) => ({ name, type: "u32" as const, offset: 4 * i })) };

function kernel(body: string, element = "V"): LinkedKernel {
  const code = `alias V = vec4f;
struct Params { n: u32, k: u32 }
@group(0) @binding(0)
var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<${element}>;
${body}`;
  return {
    name: "test",
    code,
    bindings: [
      { group: 0, binding: 0, name: "p", access: "uniform", layout },
      { group: 0, binding: 1, name: "index", access: "read" },
      { group: 0, binding: 2, name: "y", access: "read_write" },
    ],
  };
}

function made(of: LinkedKernel, limit = 64): ReturnType<typeof withImmediates> {
  return withImmediates(of, launchLayout(of.bindings), limit);
}

describe("withImmediates", () => {
  test("counts in elements, within brackets too, and keeps lines", () => {
    const of = kernel("fn main() { if (s.p < p.n) { y[index[p.k | 1u]] = V(other[0]); } }");
    const immediates = made(of);
    expect(immediates).toMatchObject({ words: 4, uniforms: [2], elements: [4, 16] });
    const lines = immediates?.code.split("\n");
    expect(lines).toHaveLength(of.code.split("\n").length);
    expect(lines?.at(-1)).toBe(
      "fn main() { if (s.p < immediates.p.n) { " +
        "y[immediates.begin_y + u32(index[immediates.begin_index + u32(immediates.p.k | 1u)])] = V(other[0]); } }",
    );
  });

  test.each([
    ["a pointer to an array", "fn main() { let a = &y; }", "V"],
    ["the length of an array", "fn main() { let a = arrayLength(&y); }", "V"],
    ["another thing of that name", "fn main() { let y = 1; }", "V"],
    ["a parameter of that name", "fn main(p: u32) {}", "V"],
    ["elements of another kind", "fn main() { y[0] = Pair(); }", "Pair"],
    ["a member of that name", "struct Other { p: u32 } fn main() { y[p.n] = V(); }", "V"],
    ["a constant of that name", "fn main() { const y = 1; }", "V"],
    ["a variable of that name with an address space", "fn main() { var<function> y: array<u32, 2>; y[0] = 1; }", "V"],
    ["a loop's variable of that name", "fn main() { for (var p = 0; p < 3; p++) {} }", "V"],
    ["a pointer to a uniform", "fn main() { let a = &p; y[0] = V((*a).n); }", "V"],
    ["a pointer to a member of a uniform", "fn main() { f(&p.n); let a = &(p.k); }", "V"],
    ["a uniform that is copied whole", "fn main() { let all = p; y[all.n] = V(); }", "V"],
    ["an array that is handed on", "fn main() { f(y); }", "V"],
    ["the name that is put before it", "fn main() { let immediates = p.n; y[immediates] = V(); }", "V"],
    ["a type of the name that is put before it", "struct Immediates { a: u32 } fn main() { y[p.n] = V(); }", "V"],
    ["names that are not of ASCII", "fn main() { let éy = array(1); let a = éy[0]; y[p.n] = V(); }", "V"],
    ["a comment that does not end", "fn main() { y[p.n] = V(); } /* /* */", "V"],
  ])("leaves alone %s", (_, body, element) => {
    expect(made(kernel(body, element))).toBeUndefined();
  });

  const text = (body: string): string | undefined => made(kernel(body))?.code.split("\n").slice(6).join("\n");
  const P = "immediates.p.";
  const Y = (index: string): string => `y[immediates.begin_y + u32(${index})]`;

  test.each([
    ["members named like a uniform or an array", "s.p.n + s . p.n + s\n  .y[0]", "s.p.n + s . p.n + s\n  .y[0]"],
    ["longer names", "xp.n + p_.n + yy[0] + y2[0]", "xp.n + p_.n + yy[0] + y2[0]"],
    ["what only looks like an address", "a & p.n | b[1] & p . k", `a & ${P}n | b[1] & immediates.p . k`],
    ["truth values", "a && p.n > 1 || (b) & p.k", `a && ${P}n > 1 || (b) & ${P}k`],
    ["brackets in comments", "y[/* ] y[ */ p.n // ]\n]", Y(`  ${P}n  \n`)],
    ["a comment in a comment", "y[1] /* /* p.n */ // \n y[ */ + y[2]", `${Y("1")}  \n + ${Y("2")}`],
    ["slashes in a comment", "p.n /* // */ + p.k", `${P}n   + ${P}k`],
    ["a comment between names", "p.n/**/p.k", `${P}n ${P}k`],
    ["stars and slashes", "p.n*/*a*/p.k", `${P}n* ${P}k`],
    [
      "arrays within arrays",
      "y[index[y[p.n]]] + b[y [ 2 ]]",
      `${Y(`index[immediates.begin_index + u32(${Y(`${P}n`)})]`)} + b[${Y(" 2 ")}]`,
    ],
  ])("%s", (_, body, becomes) => {
    expect(text(body)).toBe(becomes);
  });

  test("leaves alone a text that begins with a directive", () => {
    const of = kernel("fn main() { y[0] = V(); }");
    expect(made({ ...of, code: `diagnostic(off, derivative_uniformity);\n${of.code}` })).toBeUndefined();
    expect(made({ ...of, code: `enable subgroups;\n${of.code}` })).toBeUndefined();
  });

  test("leaves alone uniforms whose fields do not tell all", () => {
    const of = kernel("fn main() { y[0] = V(); }");
    const [first, ...rest] = of.bindings;
    if (first === undefined) throw new Error("no bindings");
    const untold = { ...first, layout: { bytes: 8, fields: [] } };
    expect(made({ ...of, bindings: [untold, ...rest] })).toBeUndefined();
  });

  test("leaves alone what the device has no room for", () => {
    expect(made(kernel("fn main() { y[0] = V(); }"), 16)).toBeDefined();
    expect(made(kernel("fn main() { y[0] = V(); }"), 12)).toBeUndefined();
    expect(made(kernel("fn main() { y[0] = V(); }"), 0)).toBeUndefined();
  });
});

/** The words and marks of a text, without comments. */
const tokens = (code: string): string[] => code.replaceAll(/\/\/.*/g, "").match(/\w+|[^\s\w]/g) ?? [];

/** What withImmediates did, taken back by a walk over words and marks: what is left must be the kernel. */
function takenBack(code: string, names: readonly string[]): string[] {
  const from = tokens(code.slice(code.indexOf("var<immediate>")).replace(/^[^;]*;/, ""));
  const open: boolean[] = [];
  const back: string[] = [];
  for (let k = 0; k < from.length; k++) {
    const token = from[k] ?? "";
    const own = names.some((name) => from.slice(k, k + 7).join("") === `[immediates.begin_${name}+u32(`);
    const last = token === ")" && from[k + 1] === "]" && open.at(-1) === true;
    if (own || token === "[") open.push(own);
    if (token === "immediates" && from[k - 1] !== ".") k += 1;
    else back.push(last ? "]" : token);
    if (own) k += 6;
    if (last) k += 1;
    if (last || token === "]") open.pop();
  }
  return back;
}

/** Without the declarations of what is bound, which change places. */
function withoutBindings(words: readonly string[]): string[] {
  const kept: string[] = [];
  for (let k = 0; k < words.length; k++) {
    if (words[k] === "@" && words[k + 1] === "group") while (words[k] !== ";") k++;
    else kept.push(words[k] ?? "");
  }
  return kept;
}

test.each(KERNELS)("of %s nothing else is changed", async (_, file) => {
  const of = await linked(file);
  const layout = launchLayout(of.bindings);
  const code = withImmediates(of, layout, 1024)?.code ?? "";
  const back = takenBack(
    code,
    layout.storage.map(({ name }) => name),
  );
  // In attention's kernels parameters of hooks are named like arrays.
  expect(code === "", "left alone").toBe(file.includes("attention"));
  if (code === "") return;
  expect(withoutBindings(back).join("\n")).toBe(withoutBindings(tokens(of.code)).join("\n"));
});

test("a dispatch is given the uniforms' words, then where the storages begin", () => {
  const immediates = { code: "", words: 4, uniforms: [2], elements: [4, 16] };
  const uniform = new Uint8Array(Uint32Array.of(7, 0xfedcba98, 3).buffer);
  const words = uniformWords(immediates, [uniform]);
  const given = withPlaces(immediates, words.slice(), [{ offset: 512 }, { offset: 1024 }]);
  expect([...given]).toEqual([7, 0xfedcba98, 128, 64]);
  expect([...words]).toEqual([7, 0xfedcba98, 0, 0]);
});
