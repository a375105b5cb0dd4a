import type { FunctionDeclaration, Member } from "./ast.ts";
import type { Builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Scope } from "./environment.ts";
import { WgslError } from "./errors.ts";
import { returns, runToEnd } from "./functions.ts";
import type { Node } from "./ir.ts";
import type { Machine } from "./machine.ts";
import { PARAMETERS } from "./memory.ts";
import { hasBarrier, Regions } from "./regions.ts";
import { Rows } from "./rows.ts";
import { U32, vectorType } from "./types.ts";
import type { Value } from "./values.ts";
import { countedLoop, invocations, type Three } from "./workgroup.ts";

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
  const [x = 1, y = 1, z = 1] = attribute.args.map((arg) => {
    const size = context.whole(arg);
    if (size < 1) throw new WgslError("entry-point", arg, `a workgroup of ${size} invocations`);
    return size;
  });
  return [x, y, z];
}

/** All workgroups that `run` is asked for, and in each all invocations. Returns the bytes of scratch memory used. */
export function buildEntry(m: Machine, entry: FunctionDeclaration, size: readonly [number, number, number]): number {
  const { b, context } = m;
  const { workgroupStart, workgroupBytes } = context;
  let bytes = workgroupStart + workgroupBytes;
  countedLoop(b, b.param(PARAMETERS.begin), b.param(PARAMETERS.end), (group) => {
    const groups: Three = [b.param(PARAMETERS.groupsX), b.param(PARAMETERS.groupsY), b.param(PARAMETERS.groupsZ)];
    const [x, row] = split(b, group, groups[0]);
    const [y, z] = split(b, row, groups[1]);
    const builtins = { groups, group: [x, y, z] as const, size };
    if (workgroupBytes > 0) {
      const addr = b.op("i32.add", [b.param(PARAMETERS.scratch), b.i32(workgroupStart)]);
      b.add({ kind: "fill", addr, bytes: workgroupBytes });
    }
    if (entry.body.some(hasBarrier)) {
      const declare = (local: Three): void => declareBuiltins(m, entry, { ...builtins, local });
      const rows = new Rows(b, size, bytes);
      new Regions(m, rows, declare).run(entry);
      bytes += rows.bytes;
    } else invocations(b, size, (local) => runInvocation(m, entry, { ...builtins, local }));
  });
  return bytes;
}

/** Rest and quotient. */
function split(b: Builder, value: Node, by: Node): [Node, Node] {
  const quotient = b.op("i32.div_u", [value, by]);
  return [b.op("i32.sub", [value, b.op("i32.mul", [quotient, by])]), quotient];
}

interface BuiltinValues {
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

function declareBuiltins(m: Machine, entry: FunctionDeclaration, values: BuiltinValues): void {
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
