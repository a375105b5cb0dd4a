import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import * as autodiff from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import type { WgslFunction } from "@jnx/kernels-wgsl";
import * as tensor from "@jnx/tensor";
import { expectClose, useDevice } from "@jnx/testing";
import * as jnx from "jnx";
import { unary, type UnaryFunction } from "../../packages/tensor/src/ops/factories.ts";
import { fencedBlocks, runExample } from "./examples.ts";

useDevice();

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = markdownFiles(root).map((file) => relative(root, file));
const text = (page: string): string => readFileSync(join(root, page), "utf8");

/** Our own pages: what is installed, built or written by programs is left out. */
function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith(".") && !["node_modules", "dist", "out"].includes(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return markdownFiles(path);
      return entry.isFile() && entry.name.endsWith(".md") ? [path] : [];
    });
}

describe("README's quick start", () => {
  const [code = ""] = fencedBlocks(join(root, "README.md"), "ts");

  test("is about thirty lines", () => {
    expect(code.split("\n").filter((line) => line.trim() !== "").length).toBeLessThanOrEqual(30);
  });

  test("type-checks as strictly as the sources do", () => {
    expect(typeErrors(code)).toEqual([]);
  });

  test("runs as it stands, and its loss falls", async () => {
    const logged: unknown[][] = [];
    const console = { log: (...line: unknown[]) => logged.push(line) };
    await runExample(withoutImport(code, "jnx"), { ...jnx, console });
    expect(logged.map(([step]) => step)).toEqual([0, 20, 40, 60, 80]);
    const losses = logged.map(([, loss]) => Number(loss));
    expect(losses).toEqual([...losses].sort((a, b) => b - a));
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 4);
  });
});

test("the example in the page of the package gives what it promises", async () => {
  const [code = ""] = fencedBlocks(join(root, "packages/jnx/README.md"), "js");
  const [promised] = await runExample(withoutImport(code, "jnx"), jnx);
  expect(promised?.value).toEqual(promised?.expected);
  expect(promised?.expected).toEqual([3, 4, 6]);
});

/** The code without its import of a package; what it imports must be there. */
function withoutImport(code: string, from: string): string {
  const statement = new RegExp(`^import \\{([^}]*)\\} from "${from}";\\n`, "m").exec(code);
  const names = (statement?.[1] ?? "").split(",").map((name) => name.trim());
  expect(Object.keys(jnx)).toEqual(expect.arrayContaining(names));
  return code.replace(statement?.[0] ?? "", "");
}

/** What the compiler says of a program that stands in this folder, under the repository's own settings. */
function typeErrors(code: string): string[] {
  const file = fileURLToPath(new URL("quick-start.ts", import.meta.url));
  const settings: unknown = ts.readConfigFile(join(root, "tsconfig.base.json"), (path) => ts.sys.readFile(path)).config;
  const { options } = ts.parseJsonConfigFileContent(settings, ts.sys, root, undefined, join(root, "tsconfig.json"));
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (path) => (path === file ? code : readFile(path));
  host.fileExists = (path) => path === file || fileExists(path);
  const program = ts.createProgram([file], options, host);
  const source = program.getSourceFile(file);
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
    ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"),
  );
}

describe("CONTRIBUTING's elementwise op", () => {
  const page = join(root, "CONTRIBUTING.md");
  const source = (fencedBlocks(page, "wgsl")[0] ?? "").trim();
  const record = fencedBlocks(page, "ts")[0] ?? "";
  const name = /fn (\w+)/.exec(source)?.[1] ?? "";

  async function softsign(): Promise<UnaryFunction> {
    const made: UnaryFunction[] = [];
    const fn: WgslFunction = { name, source, uses: [] };
    const code = `${record.replace(/^export /m, "")}\nfound(softsign);`;
    await runExample(code, { ...tensor, unary, [name]: fn, found: (one: UnaryFunction) => made.push(one) });
    const [found] = made;
    if (found === undefined) throw new Error("CONTRIBUTING.md: its record defines no softsign");
    return found;
  }

  function closeTo(got: ArrayLike<number>, want: readonly number[], ulp: number): void {
    expectClose(got, { shape: [want.length], data: [...want] }, "float32", { ulp });
  }

  test.each([3, 8])("computes on %i elements, eagerly and compiled", async (size) => {
    const f = await softsign();
    const xs = Array.from({ length: size }, (_, i) => i - 2.5);
    const expected = xs.map((x) => x / (1 + Math.abs(x)));
    for (const run of [f, jit((x: tensor.Tensor) => f(x))]) {
      closeTo(await run(tensor.array(xs)).data(), expected, 4);
    }
  });

  test("has its gradient, and that one's too", async () => {
    const f = await softsign();
    const first = autodiff.grad((x: tensor.Tensor) => tensor.sum(f(x)));
    const second = autodiff.grad((x: tensor.Tensor) => tensor.sum(first(x)));
    const x = tensor.array([-2, -0.5, 0.5, 3]);
    closeTo(await first(x).data(), [1 / 9, 4 / 9, 4 / 9, 1 / 16], 4);
    closeTo(await second(x).data(), [2 / 27, 16 / 27, -16 / 27, -1 / 32], 8);
  });

  test("takes integers and empty arrays", async () => {
    const f = await softsign();
    expect(f(tensor.array([1, 2])).dtype).toBe("float32");
    expect(f(tensor.zeros([0])).shape).toEqual([0]);
  });
});

describe("the pages", () => {
  const scripts = Object.keys((JSON.parse(text("package.json")) as { scripts: object }).scripts); // our own file

  test.each(pages)("%s names commands that exist", (page) => {
    const named = [...text(page).matchAll(/pnpm(?:@\d+)? (?:run )?([a-z][\w:-]*)/g)].map((match) => match[1] ?? "");
    expect(named.filter((command) => !scripts.includes(command) && command !== "install")).toEqual([]);
  });

  test.each(pages)("%s links to files that exist", (page) => {
    const targets = [...text(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => (match[1] ?? "").replace(/#.*$/, ""));
    const own = targets.filter((target) => target !== "" && !/^[a-z]+:/.test(target));
    expect(own.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([]);
  });

  test.each(["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])("%s names files that exist", (page) => {
    const spans = [...text(page).matchAll(/`([\w.-]+(?:\/[\w.-]+)+\/?)`/g)].map((match) => match[1] ?? "");
    const headings = [...text(page).matchAll(/^#.*\(([^)]*)\)$/gm)].flatMap((match) => (match[1] ?? "").split(", "));
    const named = [...spans, ...headings].filter((path) =>
      /^(packages|tests|scripts|benchmarks|tensor|compile|nnx)\//.test(path),
    );
    const exists = (path: string): boolean =>
      [root, join(root, "packages")].some((base) => existsSync(join(base, path)));
    expect(named.filter((path) => !exists(path))).toEqual([]);
  });
});
