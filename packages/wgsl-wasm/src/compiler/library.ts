import type { WgslFunction } from "@jnx/kernels-wgsl";
import type { Declaration, Module } from "./ast.ts";
import { Context } from "./context.ts";
import { WgslError, type Place } from "./errors.ts";
import { LIBRARY, type LibraryFunction } from "./library-text.ts";
import type { Machine } from "./machine.ts";
import { parse } from "./parser.ts";
import { scalarType, typeText, type Scalar } from "./types.ts";
import { fromLanes, lanesOf, numeric, spread, type NumericValue, type Value } from "./values.ts";

export function isLibrary(name: string): boolean {
  return LIBRARY[name] !== undefined;
}

/** A builtin that is written in WGSL: inlined like any function, with F, I, U, B and T of the arguments' width. */
export function callLibrary(m: Machine, name: string, args: readonly Value[], place: Place): Value {
  const fn = LIBRARY[name];
  const [first] = args;
  if (fn === undefined || first === undefined) throw new WgslError("type", place, `${name} needs an argument`);
  const typed = args.find((arg) => arg.type.kind !== "abstract") ?? first;
  const wanted = typed.type.kind === "scalar" || typed.type.kind === "vector" ? typed.type.scalar : undefined;
  const scalar = wanted ?? (fn.takes === "float" ? "f32" : "i32");
  const values = args.map((arg, k) => numeric(m.b, arg, place, fn.takes === "float" || k === 0 ? scalar : undefined));
  const [head] = values;
  if (head === undefined || (fn.takes === "float") !== (scalar === "f32") || scalar === "bool")
    throw new WgslError("type", place, `${name} does not take ${typeText(first.type)}`);
  const { type } = head;
  const blend = values[2];
  if (name === "mix" && blend?.type.kind === "scalar" && type.kind === "vector" && blend.parts[0] !== undefined)
    values[2] = spread(m.b, type, blend.parts[0]);
  for (const value of values)
    if (fn.takes === "float" && value.type !== type)
      throw new WgslError("type", place, `${name}: ${typeText(value.type)} beside ${typeText(type)}`);
  if (type.kind === "scalar" || type.size === 4) return run(m, fn, name, scalar, type.kind === "vector", values, place);
  return laneByLane(m, fn, name, scalar, values, place);
}

function laneByLane(
  m: Machine,
  fn: LibraryFunction,
  name: string,
  scalar: Scalar,
  values: readonly NumericValue[],
  place: Place,
): Value {
  const [head] = values;
  if (head === undefined) throw new WgslError("type", place, `${name} needs an argument`);
  const lanes = lanesOf(m.b, head).map((_, k) => {
    const args = values.map((value): Value => {
      const part = value.type.kind === "vector" ? value.parts[k] : value.parts[0];
      if (part === undefined) throw new WgslError("type", place, `${name}: vectors of different sizes`);
      return { type: scalarType(value.type.scalar), parts: [part] };
    });
    const [result] = run(m, fn, name, scalar, false, args, place).parts;
    if (result === undefined) throw new WgslError("type", place, `${name} gave nothing`);
    return result;
  });
  return fromLanes(m.b, head.type, lanes);
}

function run(
  m: Machine,
  fn: LibraryFunction,
  name: string,
  scalar: Scalar,
  wide: boolean,
  args: readonly Value[],
  place: Place,
): Value {
  const context = new Context(moduleOf(fn, name, scalar, wide), m.context.evaluate, 0);
  const declaration = context.function("library");
  if (declaration === undefined) throw new Error(`${name} has no function`);
  let result: Value | undefined;
  m.within(context, () => (result = m.call(declaration, args, place)));
  if (result === undefined) throw new Error(`${name} returns nothing`);
  return result;
}

/** Parsed texts by name and type: the same for every kernel. */
const modules = new Map<string, Module>();

function moduleOf(fn: LibraryFunction, name: string, scalar: Scalar, wide: boolean): Module {
  const key = `${name} ${scalar} ${wide}`;
  const known = modules.get(key);
  if (known !== undefined) return known;
  const width = (type: string): string => (wide ? `vec4<${type}>` : type);
  const aliases = `alias F = ${width("f32")}; alias I = ${width("i32")}; alias U = ${width("u32")}; alias B = ${width("bool")};
alias T = ${width(scalar)}; alias S = ${scalar};
`;
  const sources = new Map<string, string>();
  const collect = ({ name: each, source, uses }: WgslFunction): void => {
    uses.forEach(collect);
    sources.set(each, source);
  };
  fn.uses.forEach(collect);
  // The sign of a leading bit counts for i32 only: e ^ (e >> 31) there, e itself for u32.
  const own = fn.source.replace("(e & SIGN)", scalar === "i32" ? "(e >> U(31u))" : "T(0)");
  const module: ReadonlyMap<string, Declaration> = parse([aliases, ...sources.values(), own].join("\n"));
  modules.set(key, module);
  return module;
}
