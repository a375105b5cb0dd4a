import type { FunctionDeclaration, Member } from "./ast.ts";
import type { Builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Scope } from "./environment.ts";
import { WgslError } from "./errors.ts";
import { returns, runToEnd } from "./functions.ts";
import { newLoop, type Node } from "./ir.ts";
import type { Machine } from "./machine.ts";
import { PARAMETERS } from "./memory.ts";
import { U32, vectorType } from "./types.ts";
import type { Value } from "./values.ts";

type Three = readonly [Node, Node, Node];

/** The only function with @compute. */
export function entryPoint(context: Context): FunctionDeclaration {
  const entries: FunctionDeclaration[] = [];
  for (const item of context.module.values())
    if (item.kind === "function" && item.attributes.some(({ name }) => name === "compute")) entries.push(item);
  const [entry, second] = entries;
  if (entry === undefined) throw new WgslError("entry-point", { line: 1, column: 1 }, "there is no @compute function");
  if (second !== undefined) throw new WgslError("entry-point", second, "there are two @compute functions");
  return entry;
}

export function workgroupSize(context: Context, entry: FunctionDeclaration): [number, number, number] {
  const attribute = entry.attributes.find(({ name }) => name === "workgroup_size");
  if (attribute === undefined) throw new WgslError("entry-point", entry, "@workgroup_size is missing");
  const [x = 1, y = 1, z = 1] = attribute.args.map((arg) => context.whole(arg));
  return [x, y, z];
}

/** `for (i = from; i < to; i += 1) body(i)`, i unsigned. */
export function countedLoop(b: Builder, from: Node, to: Node, body: (counter: Node) => void): void {
  const item = newLoop(b.block);
  const slot = b.slot("i32", item.header, 0);
  item.cond = b.inside(item.header, () => b.op("i32.lt_u", [slot, to]));
  b.inside(item.body, () => body(slot));
  item.phis.push({ slot, init: from, next: b.op("i32.add", [slot, b.i32(1)]) });
  b.add(item);
}

/** All workgroups that `run` is asked for, and in each all invocations. */
export function buildEntry(m: Machine, entry: FunctionDeclaration, size: readonly [number, number, number]): void {
  const { b } = m;
  countedLoop(b, b.param(PARAMETERS.begin), b.param(PARAMETERS.end), (group) => {
    const groups: Three = [b.param(PARAMETERS.groupsX), b.param(PARAMETERS.groupsY), b.param(PARAMETERS.groupsZ)];
    const [x, row] = split(b, group, groups[0]);
    const [y, z] = split(b, row, groups[1]);
    const builtins = { groups, group: [x, y, z] as const, size };
    invocations(b, size, (local) => runInvocation(m, entry, { ...builtins, local }));
  });
}

/** Rest and quotient. */
function split(b: Builder, value: Node, by: Node): [Node, Node] {
  const quotient = b.op("i32.div_u", [value, by]);
  return [b.op("i32.sub", [value, b.op("i32.mul", [quotient, by])]), quotient];
}

/** One loop for each axis of the workgroup that has more than one invocation. */
export function invocations(b: Builder, size: readonly [number, number, number], body: (local: Three) => void): void {
  const axis = (extent: number, inner: (counter: Node) => void): void =>
    extent === 1 ? inner(b.i32(0)) : countedLoop(b, b.i32(0), b.i32(extent), inner);
  axis(size[2], (z) => axis(size[1], (y) => axis(size[0], (x) => body([x, y, z]))));
}

export interface BuiltinValues {
  readonly local: Three;
  readonly group: Three;
  readonly groups: Three;
  readonly size: readonly [number, number, number];
}

function runInvocation(m: Machine, entry: FunctionDeclaration, values: BuiltinValues): void {
  m.alive = true;
  m.env = new Map();
  const run = (): void => m.execute(entry.body);
  m.scoped(() => {
    declareBuiltins(m, entry, values);
    if (entry.body.some(returns)) runToEnd(m, "function", undefined, run);
    else run();
  }, new Scope());
}

export function declareBuiltins(m: Machine, entry: FunctionDeclaration, values: BuiltinValues): void {
  for (const parameter of entry.parameters)
    m.scope.declare(parameter.name, { kind: "value", value: builtinValue(m, parameter, values) });
}

function builtinValue(m: Machine, parameter: Member, { local, group, groups, size }: BuiltinValues): Value {
  const { b } = m;
  const attribute = parameter.attributes.find(({ name }) => name === "builtin");
  const [arg] = attribute?.args ?? [];
  const name = arg?.kind === "name" ? arg.name : "";
  const scaled = (k: 0 | 1 | 2): Node => b.op("i32.mul", [group[k], b.i32(size[k])]);
  const vec3u = vectorType(3, "u32");
  switch (name) {
    case "local_invocation_id":
      return { type: vec3u, parts: local };
    case "workgroup_id":
      return { type: vec3u, parts: group };
    case "num_workgroups":
      return { type: vec3u, parts: groups };
    case "global_invocation_id":
      return { type: vec3u, parts: ([0, 1, 2] as const).map((k) => b.op("i32.add", [scaled(k), local[k]])) };
    case "local_invocation_index": {
      const plane = b.op("i32.add", [b.op("i32.mul", [local[2], b.i32(size[1])]), local[1]]);
      return { type: U32, parts: [b.op("i32.add", [b.op("i32.mul", [plane, b.i32(size[0])]), local[0]])] };
    }
    default:
      throw new WgslError("entry-point", parameter, `${parameter.name} is no builtin of the subset`);
  }
}
