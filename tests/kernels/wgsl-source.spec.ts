import { describe, expect, test } from "vitest";
import { checkForm, snippets, splitSections, usedLibraries, usedNames } from "../../scripts/lib/wgsl-source.ts";

const library = `// A library.
//#default
alias F = f32;
//#end
// after
fn op_b(x: F) -> F {
  return op_a(x) * F(PI); // op_zz is a word in a comment
}
const PI = 3.14;
fn op_a(x: F) -> F { return exp(x); }
fn op_zz(x: F) -> F { return x; }
`;

describe("pnpm gen reads .wgsl files", () => {
  test("splits at the markers and drops comments", () => {
    const sections = splitSections("// head\nenable f16;\n//#default\nalias F = f16; // why\n//#end\n\nfn main() {}\n");
    expect(sections).toEqual({ head: "enable f16;", block: "alias F = f16;", body: "fn main() {}" });
  });

  test("needs exactly one block, in order", () => {
    expect(() => splitSections("// a\n//#default\n")).toThrow("has no //#end line");
    expect(() => splitSections("//#default\n//#end\n//#default\n//#end\n")).toThrow("second //#default");
    expect(() => splitSections("//#end\n//#default\n")).toThrow("before");
  });

  test("needs a comment at the top and at most 200 lines", () => {
    expect(() => checkForm("fn f() {}\n")).toThrow("open with a comment");
    expect(() => checkForm("//#default\n//#end\n")).toThrow("open with a comment");
    expect(() => checkForm(`// a\n${"\n".repeat(200)}`)).toThrow("201 lines");
    expect(() => checkForm(`// a\n${"\n".repeat(199)}`)).not.toThrow();
  });

  test("refuses what Chrome's compiler loses", () => {
    expect(() => checkForm("// a\nfn f(b: B) -> bool { return true && any(b); }\n")).toThrow("any_lane");
    expect(() => checkForm("// a && any(b)\nfn f(b: B) -> bool { return any(b) && true; }\n")).not.toThrow();
  });

  test("finds functions and constants, each after those it uses", () => {
    const found = snippets(library);
    expect(found.map(({ name, uses }) => [name, uses])).toEqual([
      ["PI", []],
      ["op_a", []],
      ["op_b", ["op_a", "PI"]],
      ["op_zz", []],
    ]);
    expect(found[1]?.source).toBe("fn op_a(x: F) -> F { return exp(x); }");
  });

  test("finds the libraries named, and what is used of theirs", () => {
    const text =
      "// A library.\n//#use b-functions.wgsl\n//#default\n//#end\nfn op_a(x: f32) -> f32 { return op_b(x); }\n";
    expect(usedLibraries(text)).toEqual([{ path: "b-functions.wgsl", line: 2 }]);
    expect(snippets(text, new Set(["op_b", "op_c"])).map(({ name, uses }) => [name, uses])).toEqual([
      ["op_a", ["op_b"]],
    ]);
    expect(() => snippets(text, new Set(["op_a"]))).toThrow("a second op_a");
  });

  test("finds what a kernel calls of libraries, and refuses one of its own beside it", () => {
    const libraries = [{ names: ["turned", "pair"] }, { names: ["row_named"] }];
    expect(usedNames("fn main() { let a = pair(1u); } // turned\n", libraries)).toEqual(["pair"]);
    expect(() => usedNames("fn main() {}\nfn pair() {}\n", libraries)).toThrow("a second pair");
  });

  test("refuses what a library cannot carry", () => {
    expect(() => snippets("//#end\nstruct S { a: f32 }")).toThrow("only `fn` and `const`");
    expect(() => snippets("//#end\nfn a() { b(); }\nfn b() { a(); }")).toThrow("use each other");
    expect(() => snippets("//#end\nfn a() {}\nfn a() {}")).toThrow("a second a");
  });
});
