/**
 * House rule for kernels: the part of WGSL that a compiler for CPUs takes as well. Breaking it, as sentences; none for a
 * text that keeps to it. Judged over wgsl_reflect's syntax tree, which has no types, so what is about types is about
 * those that are written.
 */
import {
  Alias,
  ArrayIndex,
  ArrayType,
  Assign,
  BinaryOperator,
  Break,
  Call,
  CallExpr,
  Const,
  ConstExpr,
  Continue,
  CreateExpr,
  Discard,
  Enable,
  For,
  Function as Fn,
  Increment,
  Let,
  LiteralExpr,
  Node,
  Override,
  PointerType,
  Requires,
  Return,
  SamplerType,
  StringExpr,
  Struct,
  TemplateType,
  Type,
  UnaryOperator,
  Var,
  VariableExpr,
  WgslParser,
} from "wgsl_reflect";
import type { Statement } from "wgsl_reflect";

export const MAX_LINES = 199;
export const MAX_TRIPS = 16;

const BARRIER = /^(workgroup|storage|texture)(Barrier|UniformLoad)$/;
const FORBIDDEN_CALLS = /^(subgroup|quad(Broadcast|Swap)|atomic|texture)/;
const FORBIDDEN_TYPES = /^(f16|vec[234]h|mat\dx\dh|atomic|texture_|sampler|binding_array)/;
const SCALARS = ["f32", "i32", "u32"];

/** What `code` breaks of the rules. `library` files have functions and no entry point. */
export function violations(code: string, library = false): string[] {
  return [...form(code), ...new Checker(code).check(library)];
}

function form(code: string): string[] {
  const found: string[] = [];
  const lines = code.trimEnd().split("\n");
  if (lines.length > MAX_LINES) found.push(`${lines.length} lines; ${MAX_LINES} are allowed`);
  if (!/^\/\/ \S/.test(code)) found.push("does not open with a comment");
  for (const marker of ["//#default", "//#end"]) {
    const count = lines.filter((line) => line.trim() === marker).length;
    if (count !== 1) found.push(`${count} lines ${marker}; one is needed`);
  }
  return found;
}

class Checker {
  readonly #module: readonly Statement[];
  readonly #found: string[] = [];
  readonly #aliases = new Map<string, Type>();
  readonly #constants = new Set<string>();
  /** Names that are the same in every invocation of a workgroup. */
  readonly #uniforms = new Set<string>();

  constructor(code: string) {
    this.#module = new WgslParser().parse(code);
    for (const item of this.#module) {
      if (item instanceof Alias) this.#aliases.set(item.name, item.type);
      if (item instanceof Const) this.#constants.add(item.name);
      if (item instanceof Var && item.storage === "uniform") this.#uniforms.add(item.name);
    }
  }

  check(library: boolean): string[] {
    for (const item of this.#module) {
      if (item instanceof Enable || item instanceof Requires) this.#say("asks for an extension");
      if (item instanceof Override) this.#say(`override ${item.name}; tile and group sizes are const`);
      if (item instanceof Var) this.#global(item);
      if (item instanceof Fn) this.#function(item);
    }
    const entries = this.#module.filter((item) => item instanceof Fn).filter(isEntry);
    const wanted = library ? [] : ["main"];
    if (entries.map(({ name }) => name).join() !== wanted.join())
      this.#say(`entry points [${entries.map(({ name }) => name).join()}] instead of [${wanted.join()}]`);
    for (const entry of entries) this.#entry(entry);
    return [...new Set(this.#found)];
  }

  #say(what: string): void {
    this.#found.push(what);
  }

  #global(item: Var): void {
    const type = this.#resolve(item.type);
    if (item.storage === "storage") {
      const element = type instanceof ArrayType ? this.#text(type.format) : "";
      const flat = SCALARS.some((scalar) => element === scalar || element === `vec4<${scalar}>`);
      if (!flat || (type instanceof ArrayType && type.count > 0))
        this.#say(`${item.name}: storage is a flat array of scalars or vec4, not ${this.#text(item.type)}`);
    } else if (item.storage === "uniform") {
      const members = type instanceof Struct ? type.members.map((member) => this.#text(member.type)) : ["?"];
      if (members.some((member) => !SCALARS.includes(member)))
        this.#say(`${item.name}: a uniform is a flat struct of f32, i32 and u32`);
    } else if (item.storage !== "workgroup")
      this.#say(`${item.name}: no module variables but bindings and workgroup memory`);
    this.#types(item);
  }

  /** Types and calls that no function may have, whether or not it is an entry point. */
  #function(fn: Fn): void {
    for (const { name, type } of fn.args)
      if (type instanceof PointerType) this.#say(`${fn.name}: pointer parameter ${name}`);
    const returns = nodes(fn.body).filter((node) => node instanceof Return);
    const last = fn.body.at(-1);
    if (!isEntry(fn) && (returns.length > 1 || (returns.length === 1 && !(last instanceof Return))))
      this.#say(`${fn.name}: a helper ends in its only return`);
    if (fn.calls.has(fn)) this.#say(`${fn.name}: recursion`);
    this.#types(fn);
    this.#loops(fn);
    this.#arrays(fn);
    if (!isEntry(fn))
      for (const name of this.#calls(fn.body)) if (BARRIER.test(name)) this.#say(`${fn.name}: ${name} in a helper`);
  }

  #types(root: Node): void {
    const all = nodes(root);
    for (const name of this.#calls(root)) if (FORBIDDEN_CALLS.test(name)) this.#say(`calls ${name}`);
    if (all.some((node) => node instanceof Discard)) this.#say("discards");
    if (all.some((node) => node instanceof UnaryOperator && (node.operator === "&" || node.operator === "*")))
      this.#say("takes or follows a pointer");
    for (const node of all) {
      if (node instanceof SamplerType) this.#say(`type ${node.name}`);
      else if (node instanceof Type && FORBIDDEN_TYPES.test(node.name)) this.#say(`type ${node.name}`);
    }
    if (all.some((node) => node instanceof LiteralExpr && node.type.name === "f16")) this.#say("type f16");
  }

  /** Constant loops are short, for they are unrolled. */
  #loops(root: Fn): void {
    for (const node of nodes(root)) {
      if (!(node instanceof For)) continue;
      const trips = this.#trips(node);
      if (trips !== undefined && !(trips <= MAX_TRIPS))
        this.#say(`${root.name}: a constant loop of ${trips} trips; ${MAX_TRIPS} are allowed`);
    }
  }

  /** Trips of a loop whose bounds are all constant: undefined if one is not. */
  #trips({ init, condition, increment }: For): number | undefined {
    if (!(init instanceof Var) || !(condition instanceof BinaryOperator)) return undefined;
    const step =
      increment instanceof Increment ? 1 : increment instanceof Assign ? this.#number(increment.value) : undefined;
    const [begin, end] = [this.#number(init.value), this.#number(condition.right)];
    if (begin === undefined || end === undefined || step === undefined) return undefined;
    return Math.ceil((Math.abs(end - begin) + (condition.operator.endsWith("=") ? 1 : 0)) / step);
  }

  /** The value of an expression of literals and module constants. */
  #number(node: Node | null | undefined): number | undefined {
    if (node instanceof LiteralExpr) return Number(node.value.toString());
    // The parser puts a constant's value where its name stood.
    if (node instanceof ConstExpr) return this.#number(node.initializer);
    if (node instanceof BinaryOperator) {
      const [left, right] = [this.#number(node.left), this.#number(node.right)];
      if (left === undefined || right === undefined) return undefined;
      return { "+": left + right, "-": left - right, "*": left * right, "/": Math.trunc(left / right) }[node.operator];
    }
    return undefined;
  }

  /** Arrays that live in registers are indexed by constants, or by the counter of a constant loop. */
  #arrays(fn: Fn): void {
    const locals = new Set(fn.args.filter(({ type }) => this.#isArray(type)).map(({ name }) => name));
    for (const node of nodes(fn)) {
      const declared = node instanceof Var || node instanceof Let;
      if (declared && (this.#isArray(node.type) || this.#makesArray(node.value))) locals.add(node.name);
    }
    const counters = nodes(fn).flatMap((node) =>
      node instanceof For && this.#trips(node) !== undefined && node.init instanceof Var ? [node.init.name] : [],
    );
    for (const node of nodes(fn)) {
      const indexed =
        node instanceof VariableExpr
          ? locals.has(node.name)
          : node instanceof CallExpr && this.#returnsArray(node.name);
      const postfix = node instanceof VariableExpr || node instanceof CallExpr ? node.postfix : null;
      if (!indexed || !(postfix instanceof ArrayIndex)) continue;
      const names = nodes(postfix.index)
        .filter((part) => part instanceof VariableExpr)
        .map(({ name }) => name);
      const fixed =
        names.every((name) => counters.includes(name) || this.#constants.has(name)) &&
        this.#calls(postfix.index).length === 0;
      if (!fixed) this.#say(`${fn.name}: an array in registers is indexed by ${names.join()}, which is no constant`);
    }
  }

  #isArray(type: Type | null): boolean {
    return this.#resolve(type) instanceof ArrayType;
  }

  #makesArray(value: Node | null): boolean {
    if (value instanceof CreateExpr) return value.postfix === null && this.#isArray(value.type);
    return value instanceof CallExpr && value.postfix === null && this.#returnsArray(value.name);
  }

  #returnsArray(name: string): boolean {
    const fn = this.#module.find((item) => item instanceof Fn && item.name === name);
    return fn instanceof Fn && this.#isArray(fn.returnType);
  }

  /** Follows aliases. */
  #resolve(type: Type | null): Type | null {
    const target = type === null ? undefined : this.#aliases.get(type.name);
    return target === undefined ? type : this.#resolve(target);
  }

  /** A type without aliases: vec4<f32> for vec4f. */
  #text(type: Type | null): string {
    const known = this.#resolve(type);
    if (known === null) return "";
    if (known instanceof ArrayType) return `array<${this.#text(known.format)}>`;
    if (known instanceof TemplateType) return `${known.name}<${this.#text(known.format)}>`;
    return known.name.replace(/^(vec[234])([fiu])$/, (_, vec: string, kind: string) => `${vec}<${kind}32>`);
  }

  #calls(root: Node | readonly Node[]): string[] {
    return nodes(root).flatMap((node) => (node instanceof CallExpr || node instanceof Call ? [node.name] : []));
  }

  #entry(main: Fn): void {
    const attributes = main.attributes ?? [];
    const size = attributes.find(({ name }) => name === "workgroup_size")?.value;
    if (size === undefined) this.#say("main has no workgroup_size");
    this.#builtins(main, Array.isArray(size) ? size.length : 1);
    this.#barriers(main, main.body);
    const order = nodes(main.body);
    const barriers = order.flatMap((node, at) => (node instanceof Call && BARRIER.test(node.name) ? [at] : []));
    const first = order.findIndex((node) => node instanceof Return);
    if (first >= 0 && first < Math.max(-1, ...barriers)) this.#say("returns before a barrier");
  }

  /** The contiguous axis lies on local_id.x; more axes only where the workgroup has them. */
  #builtins(main: Fn, dimensions: number): void {
    for (const { name, attributes } of main.args) {
      const builtin = String(attributes?.find((attribute) => attribute.name === "builtin")?.value);
      const axes = nodes(main.body).flatMap((node) =>
        node instanceof VariableExpr && node.name === name ? [axisOf(node)] : [],
      );
      if (builtin === "workgroup_id" || builtin === "num_workgroups") this.#uniforms.add(name);
      else if (builtin !== "local_invocation_id")
        this.#say(`builtin ${builtin}; positions come from local_invocation_id and workgroup_id`);
      else {
        if (!axes.includes("x")) this.#say("the axis local_id.x is not used");
        const known = ["x", "y", "z"].slice(0, dimensions);
        if (axes.some((axis) => !known.includes(axis)))
          this.#say(`local_id has the axes ${axes.join()} in a workgroup of ${dimensions} dimensions`);
      }
    }
  }

  /** Barriers stand at the top level of main or in a `for` whose counter all invocations share. */
  #barriers(main: Fn, body: readonly Statement[]): void {
    for (const statement of body) {
      if (statement instanceof Let && this.#isUniform(statement.value)) this.#uniforms.add(statement.name);
      if (statement instanceof Call && BARRIER.test(statement.name)) continue;
      if (!this.#calls(statement).some((name) => BARRIER.test(name))) continue;
      if (!(statement instanceof For)) this.#say("a barrier in flow that is no for");
      else {
        if (!this.#isUniformLoop(statement)) this.#say("a barrier in a for whose counter is not uniform");
        if (
          nodes(statement.body).some(
            (node) => node instanceof Break || node instanceof Continue || node instanceof Return,
          )
        )
          this.#say("a for with a barrier is left early");
        this.#barriers(main, statement.body);
      }
    }
  }

  #isUniformLoop({ init, condition, increment, body }: For): boolean {
    if (!(init instanceof Var) || !(increment instanceof Assign) || !this.#isUniform(init.value)) return false;
    this.#uniforms.add(init.name);
    const written = nodes(body).some(
      (node) => node instanceof Assign && node.variable instanceof VariableExpr && node.variable.name === init.name,
    );
    return !written && this.#isUniform(condition) && this.#isUniform(increment.value);
  }

  /** Made of literals, constants, uniforms and the workgroup's own position; calls are not looked into. */
  #isUniform(value: Node | null): boolean {
    const parts = nodes(value ?? []);
    const pure = parts.every((node) => !(node instanceof CallExpr) || ["min", "max", "select"].includes(node.name));
    return (
      pure &&
      parts.every(
        (node) => !(node instanceof VariableExpr) || this.#uniforms.has(node.name) || this.#constants.has(node.name),
      )
    );
  }
}

function isEntry(fn: Fn): boolean {
  return (fn.attributes ?? []).some(({ name }) => name === "compute");
}

/** The component that is read, or what else is done with a whole vector. */
function axisOf({ postfix }: VariableExpr): string {
  return postfix instanceof StringExpr ? postfix.value : "all";
}

/** Every node below one, itself included, in the order of the text. */
function nodes(root: Node | readonly Node[]): Node[] {
  const seen = new Set<object>();
  const found: Node[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    if (Array.isArray(value)) value.forEach(visit);
    else if (value instanceof Node) {
      seen.add(value);
      found.push(value);
      Object.values(value).forEach(visit);
    }
  };
  visit(root);
  return found;
}
