import { ArgumentError, Tensor, tree } from "@jnx/tensor";
import { iterGraph } from "./graph-walk.ts";
import { clone } from "./graph.ts";
import { Module } from "./module.ts";
import { nodeClass, type Path } from "./node.ts";
import { countText, kindName } from "./print.ts";
import { jit } from "./transforms/jit.ts";
import { backwardFlops, forwardFlops, likeSeen, type MethodCall } from "./summary-flops.ts";
import { isVariable, peek, type AnyVariable } from "./variable.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** Options of `tabulate`. */
export interface TabulateOptions {
  /** How deep modules are listed; all unless given. */
  readonly depth?: number;
  /** The method that is called, "call". */
  readonly method?: string;
  /** Whether a column tells the additions and multiplications of each call, false. */
  readonly computeFlops?: boolean;
  /** Whether a column tells those of each call with its gradients, false. */
  readonly computeVjpFlops?: boolean;
  /** Which rows are shown; all unless given. */
  readonly rowFilter?: (row: TabulateRow) => boolean;
}

/** One module's call. */
export interface TabulateRow {
  readonly path: Path;
  readonly type: string;
  readonly inputs: string;
  readonly outputs: string;
}

interface Call extends TabulateRow, MethodCall {}

/**
 * A table of what a model is made of and what flows through it: a row for each module in the order of calls, with the
 * shapes of inputs and outputs, and a column for each kind of Variable with its number and bytes. The model is traced on
 * a copy: nothing is computed and nothing changes. FLOPs are counted in the captured graph: 2·m·n·k for a product or a
 * convolution, one for each element of an elementwise op or a reduction. Source: flax.nnx.tabulate.
 *
 * @throws ArgumentError when the object has no such method.
 * @example
 * nnx.tabulate(model, [x]).split("\n")[0].trim(); // "MLP Summary"
 */
export function tabulate(object: Module, inputs: readonly unknown[], options: TabulateOptions = {}): string {
  checkKeys("tabulate", options, "depth method computeFlops? computeVjpFlops? rowFilter");
  const { depth = Number.POSITIVE_INFINITY, method = "call", rowFilter = () => true } = options;
  const copy = clone(object);
  const calls = traceCalls(copy, method, inputs).filter((row) => row.path.length <= depth && rowFilter(row));
  const owned = ownedBy(copy);
  const kinds = [...new Set([...owned.values()].flat().map(kindName))].sort();
  const counts = flopColumns(options);
  const head = ["path", "type", "inputs", "outputs", ...counts.map(([name]) => name), ...kinds];
  const rows = calls.map(({ module, path, type, inputs: given, outputs, ...rest }) => [
    path.join("/"),
    type,
    given,
    outputs,
    ...counts.map(([, count]) => grouped(count({ module, ...rest }))),
    ...kinds.map((kind) => variablesCell(module, kind, owned)),
  ]);
  const all = [...new Set([...owned.values()].flat())];
  const totals = kinds.map((kind) => sizeText(all.filter((one) => kindName(one) === kind)));
  const table = box([head, ...rows, ["", "", "", ...counts.map(() => ""), "Total", ...totals]]);
  const width = table.split("\n")[0]?.length ?? 0;
  const centred = (text: string): string => " ".repeat(Math.max(0, Math.floor((width - text.length) / 2))) + text;
  const title = centred(`${object.constructor.name} Summary`);
  return `${title}\n${table}\n\n${centred(`Total Parameters: ${sizeText(all)}`)}\n`;
}

/** The columns that count, by name. */
function flopColumns(options: TabulateOptions): [string, (call: MethodCall) => number][] {
  const { computeFlops = false, computeVjpFlops = false } = options;
  return [
    ...(computeFlops ? [["flops", forwardFlops] as [string, typeof forwardFlops]] : []), // a pair
    ...(computeVjpFlops ? [["vjpFlops", backwardFlops] as [string, typeof backwardFlops]] : []), // as above
  ];
}

/** Thousands apart: 1,234,567. */
function grouped(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** Runs the method on symbols, noting each module's calls, the caller before those that it calls. */
function traceCalls(root: Module, method: string, inputs: readonly unknown[]): Call[] {
  const paths = new Map<object, Path>();
  for (const [path, value] of iterGraph(root)) if (value instanceof Module) paths.set(value, path);
  const calls: (Call | undefined)[] = [];
  const seen = new Set<string>();
  const note = (module: Module, name: string, args: unknown[], run: () => unknown): unknown => {
    const given = shapesOf(args.length === 1 ? args[0] : args);
    const path = paths.get(module);
    const key = `${path?.join("/") ?? ""} ${name} ${given}`;
    const position = path === undefined || seen.has(key) ? -1 : calls.push(undefined) - 1;
    seen.add(key);
    const result = run();
    if (path !== undefined && position >= 0) {
      const shown = name === "call" ? path : [...path, name];
      calls[position] = {
        module,
        method: name,
        args: likeSeen(args),
        path: shown,
        type: module.constructor.name,
        inputs: given,
        outputs: shapesOf(result),
      };
    }
    return result;
  };
  const undo = instrument([...paths.keys()], note);
  try {
    const target: unknown = Reflect.get(root, method);
    if (typeof target !== "function")
      throw new ArgumentError(`tabulate: ${root.constructor.name} has no method "${method}"; name it with { method }`);
    // The root is not passed to jit by its own object's call: it is traced, and its writes fall on the copy.
    jit(
      // Reflect gives any.
      (module: Module, ...args: unknown[]) => Reflect.apply(Reflect.get(module, method), module, args) as unknown,
    ).explain(root, ...inputs);
  } finally {
    for (const one of undo) one();
  }
  return calls.filter((call) => call !== undefined);
}

type Note = (module: Module, name: string, args: unknown[], run: () => unknown) => unknown;

/** Makes the methods of the modules' own classes tell of their calls; the functions undo that. */
function instrument(modules: readonly object[], note: Note): (() => void)[] {
  const prototypes = new Set(modules.map((module) => Object.getPrototypeOf(module) as object)); // instances of classes
  return [...prototypes].flatMap((prototype) =>
    Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
      if (typeof method !== "function" || name === "constructor" || name.startsWith("_")) return [];
      const telling = function (this: Module, ...args: unknown[]): unknown {
        return note(this, name, args, () => Reflect.apply(method, this, args) as unknown); // Reflect gives any
      };
      Object.defineProperty(prototype, name, { value: telling, writable: true, configurable: true });
      return [() => Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true })];
    }),
  );
}

/** `float32[1,32]` for arrays, several as a list; what is no array by its kind. */
function shapesOf(value: unknown): string {
  const { leaves, paths } = tree.flattenWithPath(value, (one) => nodeClass(one) !== undefined);
  return leaves
    .map((leaf, k) => {
      const text =
        leaf instanceof Tensor
          ? arrayText(leaf)
          : nodeClass(leaf) === undefined
            ? String(leaf)
            : (nodeClass(leaf)?.name ?? "");
      const path = paths[k] ?? [];
      return path.length === 0 ? text : `${path.join(".")}: ${text}`;
    })
    .join("\n");
}

function arrayText({ dtype, shape }: Tensor): string {
  return `${dtype}[${shape.join(",")}]`;
}

/** For each module the Variables inside it, at their first place only: what is shared counts once. */
function ownedBy(root: object): Map<object, AnyVariable[]> {
  const owned = new Map<object, AnyVariable[]>();
  const paths = new Map<string, object>();
  const graph = [...iterGraph(root)];
  for (const [path, value] of graph) if (value instanceof Module) paths.set(path.join("/"), value);
  for (const [path, value] of graph) {
    if (!isVariable(value)) continue;
    for (let length = path.length - 1; length >= 0; length--) {
      const module = paths.get(path.slice(0, length).join("/"));
      if (module !== undefined) owned.set(module, [...(owned.get(module) ?? []), value]);
    }
  }
  return owned;
}

/** A module's own Variables of a kind, one a line, and their size with those of the modules inside. */
function variablesCell(module: Module, kind: string, owned: ReadonlyMap<object, readonly AnyVariable[]>): string {
  const all = (owned.get(module) ?? []).filter((variable) => kindName(variable) === kind);
  const lines = Object.entries(module).flatMap(([name, field]) => {
    if (!isVariable(field) || kindName(field) !== kind || !all.includes(field)) return [];
    const value = peek(field);
    return value instanceof Tensor ? [`${name}: ${arrayText(value)}`] : [];
  });
  const size = sizeText(all);
  return [...lines, ...(lines.length > 0 ? [""] : []), ...(size === "" ? [] : [size])].join("\n");
}

function sizeText(variables: readonly AnyVariable[]): string {
  const elements = variables.reduce((count, variable) => {
    const value = peek(variable);
    return count + (value instanceof Tensor ? value.size : 0);
  }, 0);
  return elements === 0 ? "" : countText(elements);
}

/** Rows of cells, some of several lines, with lines around them. */
function box(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.flatMap((row) => (row[column] ?? "").split("\n").map((line) => line.length))),
  );
  const rule = (left: string, middle: string, right: string): string =>
    left + widths.map((width) => "─".repeat(width + 2)).join(middle) + right;
  const body = rows.map((row) => {
    const cells = row.map((cell) => cell.split("\n"));
    const height = Math.max(...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) => {
      const parts = widths.map((width, column) => ` ${(cells[column]?.[line] ?? "").padEnd(width)} `);
      return `│${parts.join("│")}│`;
    }).join("\n");
  });
  return [rule("┌", "┬", "┐"), body.join(`\n${rule("├", "┼", "┤")}\n`), rule("└", "┴", "┘")].join("\n");
}

/**
 * Prints objects as text; what Node's console and `String(model)` show. Source: flax.nnx.display.
 * @example nnx.display(nnx.graphdef(model.out).leafCount);
 */
export function display(...objects: readonly unknown[]): void {
  for (const object of objects) console.log(String(object));
}

/**
 * Objects as HTML that can be folded: for notebooks and pages. Nothing of it runs.
 * @example nnx.displayHtml(model.out).startsWith("<details"); // true
 */
export function displayHtml(object: unknown): string {
  const [first = "", ...rest] = String(object).split("\n");
  const lines = [`<details open><summary><code>${escaped(first)}</code></summary><pre style="margin:0 0 0 1em">`];
  for (const line of rest) {
    const text = line.replace(/^ {2}/, "");
    if (/[([{]$/.test(text))
      lines.push(
        `</pre><details open style="margin-left:1em"><summary><code>${escaped(text)}</code></summary><pre style="margin:0 0 0 1em">`,
      );
    else if (/^\s*[)\]}]$/.test(text)) lines.push('</pre></details><pre style="margin:0 0 0 1em">');
    else lines.push(`${escaped(text)}\n`);
  }
  // The object's own last line has closed its details.
  return lines.join("").replace(/<pre style="margin:0 0 0 1em">$/, "");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
