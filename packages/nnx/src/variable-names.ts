import { ArgumentError } from "@jnx/tensor";
import { BatchStat, Cache, Intermediate, Param, Perturbation } from "./variable-types.ts";
import { Variable, type AnyVariable, type VariableClass } from "./variable.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** Flax Linen's names of collections, and the Variables that stand for them. */
const types = /* @__PURE__ */ new Map<string, VariableClass>([
  ["params", Param],
  ["batch_stats", BatchStat],
  ["cache", Cache],
  ["intermediates", Intermediate],
  ["perturbations", Perturbation],
]);

/** Options of the lookups by name and by type. */
export interface NameOptions {
  /** True to make the missing entry instead of throwing. */
  readonly allowRegister?: boolean;
}

/**
 * The Variable class of a collection's name: params, batch_stats, cache, intermediates, perturbations, and what was
 * registered. With `allowRegister` an unknown name gets a class of its own.
 *
 * @throws ArgumentError for an unknown name. Source: flax.nnx.variable_type_from_name.
 * @example nnx.variableTypeFromName("batch_stats") === nnx.BatchStat; // true
 */
export function variableTypeFromName(name: string, options: NameOptions = {}): VariableClass {
  checkKeys("variableTypeFromName", options, "allowRegister?");
  const known = types.get(name);
  if (known !== undefined) return known;
  if (options.allowRegister !== true)
    throw new ArgumentError(
      `variableTypeFromName: no Variable type is registered as "${name}", there are ${[...types.keys()].join(", ")}; register it with registerVariableName`,
    );
  return registerVariableName(name, { [name]: class extends Variable<unknown> {} }[name] ?? Variable);
}

/**
 * The collection's name of a Variable class. With `allowRegister` an unknown class is registered under its own name.
 *
 * @throws ArgumentError for an unknown class. Source: flax.nnx.variable_name_from_type.
 * @example nnx.variableNameFromType(nnx.Param); // "params"
 */
export function variableNameFromType(type: VariableClass, options: NameOptions = {}): string {
  checkKeys("variableNameFromType", options, "allowRegister?");
  for (const [name, known] of types) if (known === type) return name;
  if (options.allowRegister !== true)
    throw new ArgumentError(
      `variableNameFromType: ${type.name} has no registered name; register it with registerVariableName`,
    );
  registerVariableName(type.name, type);
  return type.name;
}

/**
 * Gives a Variable class a name, which `sow` and checkpoints of Linen use.
 *
 * @throws ArgumentError when the name is taken, unless `overwrite`. Source: flax.nnx.register_variable_name.
 * @example
 * class Momentum extends nnx.Variable {}
 * nnx.registerVariableName("momentum", Momentum);
 * nnx.variableNameFromType(Momentum); // "momentum"
 */
export function registerVariableName<C extends VariableClass<AnyVariable>>(
  name: string,
  type: C,
  options: { readonly overwrite?: boolean } = {},
): C {
  checkKeys("registerVariableName", options, "overwrite?");
  if (types.has(name) && options.overwrite !== true)
    throw new ArgumentError(
      `registerVariableName: "${name}" is ${types.get(name)?.name ?? ""} already; choose another name, or pass { overwrite: true }`,
    );
  types.set(name, type);
  return type;
}
