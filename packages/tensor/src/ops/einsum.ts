import type { DType } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { contract, diagonalOfLast, dotDTypes } from "./contraction.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { contractionPath, type Optimize, type Path } from "./einsum-path.ts";
import { reshape, transpose } from "./movement.ts";
import { sum } from "./reduce.ts";
import { checkOptions } from "../options.ts";
import type { PrecisionLike } from "../precision.ts";

const EINSUM_OPTIONS = { optimize: true, precision: true, preferredElementType: true } as const;

export interface EinsumOptions {
  /** How to find the order of the products: by exhaustion up to five operands, else greedily ("auto"), or in sequence (false). */
  readonly optimize?: Optimize;
  /** How exact products are to be; all are made in float32, JAX's "highest", whatever it says. */
  readonly precision?: PrecisionLike | undefined;
  /** The dtype to add up in, and of the result; the promoted one unless told. */
  readonly preferredElementType?: DType;
}

/** An operand with the label of each of its axes. Axes of an ellipsis are labelled "…0", "…1" from the last. */
interface Term {
  readonly tensor: Tensor;
  readonly labels: readonly string[];
}

interface Equation {
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/**
 * Sums of products by Einstein's convention: each letter names an axis; letters missing from the result are summed over;
 * without "->" the letters that appear once remain, in alphabetical order. "..." stands for leading axes, which
 * broadcast; a letter twice in one operand takes the diagonal. Any number of operands, multiplied in the order that takes
 * the fewest operations. Source: jnp.einsum.
 *
 * @throws ArgumentError when the subscripts cannot be read or do not name the operands' axes, ShapeError when a letter
 * stands for two extents.
 * @example
 * await einsum("ij,jk->ik", array([[1, 2], [3, 4]]), array([[1], [1]])).toArray(); // [[3], [7]]
 * await einsum("ii", array([[1, 2], [3, 4]])).item(); // 5
 */
export function einsum(subscripts: string, ...operands: readonly (TensorLike | EinsumOptions)[]): Tensor {
  const [arrays, options] = separated("einsum", operands);
  checkOptions("einsum", options, EINSUM_OPTIONS);
  const { inputs, output } = parse(subscripts, arrays);
  const extents = extentsOf(subscripts, inputs, arrays);
  const path = contractionPath(inputs, output, extents, options.optimize);
  const { optimize: _, ...dot } = options;
  const dtypes = dotDTypes("einsum", arrays, dot);
  return composite("einsum", () => {
    const terms = arrays.map((x, k): Term => ({ tensor: convert(x, dtypes.compute), labels: at(inputs, k) }));
    return convert(arranged(follow(terms, output, path), output), dtypes.result, dtypes.weak);
  });
}

/**
 * The order in which `einsum` would multiply: for each step the places of the operands it takes, the product going to
 * the end of the list. Source: jnp.einsum_path.
 *
 * @throws ArgumentError and ShapeError as einsum does.
 * @example einsumPath("ij,jk,k->i", ones([2, 3]), ones([3, 4]), ones([4])); // [[1, 2], [0, 1]]
 */
export function einsumPath(subscripts: string, ...operands: readonly (TensorLike | EinsumOptions)[]): Path {
  const [arrays, options] = separated("einsumPath", operands);
  const { inputs, output } = parse(subscripts, arrays);
  return contractionPath(inputs, output, extentsOf(subscripts, inputs, arrays), options.optimize);
}

function separated(name: string, operands: readonly (TensorLike | EinsumOptions)[]): [Tensor[], EinsumOptions] {
  const last = operands.at(-1);
  const trailing = typeof last === "object" && last !== null && Object.getPrototypeOf(last) === Object.prototype;
  // A plain object without toTensor is no array: it is the options.
  const options = trailing && !("toTensor" in last) ? (last as EinsumOptions) : undefined;
  const arrays = options === undefined ? operands : operands.slice(0, -1);
  if (arrays.length === 0) throw new ArgumentError("einsum: needs at least one array after the subscripts");
  // asTensor refuses what is no array.
  return [arrays.map((one) => asTensor(one as TensorLike, name)), options ?? {}];
}

function parse(subscripts: unknown, arrays: readonly Tensor[]): Equation {
  if (typeof subscripts !== "string")
    throw new ArgumentError(`einsum: subscripts are a string such as "ij,jk->ik", received ${typeof subscripts}`);
  const [left = "", right, ...more] = subscripts.replace(/\s/g, "").split("->");
  const parts = left.split(",");
  const wrong = [...parts, ...(right === undefined ? [] : [right])].find(
    (part) => !/^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(part),
  );
  if (wrong !== undefined || more.length > 0)
    throw new ArgumentError(
      `einsum: cannot read ${JSON.stringify(wrong ?? subscripts)} in ${JSON.stringify(subscripts)}; letters, at most one "..." an operand, commas between operands, one "->"`,
    );
  if (parts.length !== arrays.length)
    throw new ArgumentError(
      `einsum: ${JSON.stringify(subscripts)} names ${parts.length} operands, received ${arrays.length}`,
    );
  const inputs = parts.map((part, k) => labelsOf(subscripts, part, at(arrays, k)));
  return { inputs, output: right === undefined ? implied(inputs) : outputLabels(subscripts, right, inputs) };
}

function labelsOf(subscripts: string, part: string, { ndim, shape }: Tensor): string[] {
  const letters = part.replace("...", "");
  const rest = ndim - letters.length;
  if (rest < 0 || (rest > 0 && !part.includes("...")))
    throw new ArgumentError(
      `einsum: ${JSON.stringify(part)} of ${JSON.stringify(subscripts)} names ${letters.length} axes of an operand of shape ${shapeText(shape)}`,
    );
  return expanded(part, rest);
}

/** Labels with the ellipsis spelt out as so many axes. */
function expanded(part: string, axes: number): string[] {
  const [before = "", after] = part.split("...");
  const dots = after === undefined ? [] : Array.from({ length: axes }, (_, k) => `…${axes - 1 - k}`);
  return [...before, ...dots, ...(after ?? "")];
}

const isDots = (label: string): boolean => label.startsWith("…");

/** Ellipsis axes, outermost first. */
function dotsOf(inputs: readonly (readonly string[])[]): string[] {
  const axes = Math.max(0, ...inputs.map((labels) => labels.filter(isDots).length));
  return expanded("...", axes);
}

function implied(inputs: readonly (readonly string[])[]): string[] {
  const all = inputs.flat().filter((label) => !isDots(label));
  const once = [...new Set(all)].filter((label) => all.indexOf(label) === all.lastIndexOf(label));
  return [...dotsOf(inputs), ...once.sort()];
}

function outputLabels(subscripts: string, right: string, inputs: readonly (readonly string[])[]): string[] {
  const known = new Set(inputs.flat());
  const letters = [...right.replace("...", "")];
  const wrong = letters.find((label, k) => !known.has(label) || letters.indexOf(label) !== k);
  if (wrong !== undefined)
    throw new ArgumentError(
      `einsum: ${JSON.stringify(wrong)} in the result of ${JSON.stringify(subscripts)} ${known.has(wrong) ? "appears twice" : "is in no operand"}`,
    );
  const dots = dotsOf(inputs);
  if (dots.length > 0 && !right.includes("..."))
    throw new ArgumentError(
      `einsum: the result of ${JSON.stringify(subscripts)} leaves out the axes of "..."; write "..." there too`,
    );
  return expanded(right, dots.length);
}

/** The extent of each label; an extent of 1 broadcasts. */
function extentsOf(
  subscripts: string,
  inputs: readonly (readonly string[])[],
  arrays: readonly Tensor[],
): ReadonlyMap<string, number> {
  const extents = new Map<string, number>();
  inputs.forEach((labels, k) => {
    const { shape } = at(arrays, k);
    labels.forEach((label, axis) => {
      const [own, known = 1] = [at(shape, axis), extents.get(label)];
      if (own !== 1 && known !== 1 && own !== known)
        throw new ShapeError(
          `einsum: ${isDots(label) ? '"..."' : JSON.stringify(label)} in ${JSON.stringify(subscripts)} stands for ${known} and ${own}, received shapes ${arrays.map((x) => shapeText(x.shape)).join(", ")}`,
        );
      extents.set(label, known === 1 ? own : known);
    });
    if (labels.some((label, axis) => labels.some((other, b) => other === label && shape[b] !== shape[axis])))
      throw new ShapeError(
        `einsum: a letter twice in one operand of ${JSON.stringify(subscripts)} needs equal extents, received ${shapeText(shape)}`,
      );
  });
  return extents;
}

/** Multiplies along the path; each product takes the end of the list. */
function follow(terms: readonly Term[], output: readonly string[], path: Path): Term {
  let open = [...terms];
  for (const step of path) {
    const taken = step.map((k) => at(open, k));
    open = open.filter((_, k) => !step.includes(k));
    const kept = new Set([...output, ...open.flatMap((term) => term.labels)]);
    const [first, second] = taken;
    if (first === undefined) continue;
    open.push(second === undefined ? reduced(first, kept) : multiplied(first, second, kept));
  }
  return at(open, 0);
}

/** A term without repeated labels and without those that nothing else wants. */
function reduced(term: Term, kept: ReadonlySet<string>): Term {
  const plain = withoutRepeats(term);
  const gone = plain.labels.flatMap((label, axis) => (kept.has(label) ? [] : [axis]));
  if (gone.length === 0) return plain;
  return { tensor: sum(plain.tensor, { axis: gone }), labels: plain.labels.filter((label) => kept.has(label)) };
}

function withoutRepeats(term: Term): Term {
  const { tensor, labels } = term;
  const twice = labels.find((label, axis) => labels.indexOf(label) !== axis);
  if (twice === undefined) return term;
  const [first, second] = [labels.indexOf(twice), labels.indexOf(twice, labels.indexOf(twice) + 1)];
  const others = labels.map((_, axis) => axis).filter((axis) => axis !== first && axis !== second);
  const diagonal = diagonalOfLast(transpose(tensor, [...others, first, second]), 0);
  return withoutRepeats({ tensor: diagonal, labels: [...others.map((axis) => at(labels, axis)), twice] });
}

function multiplied(first: Term, second: Term, kept: ReadonlySet<string>): Term {
  const wanted = (other: Term): Set<string> => new Set([...kept, ...other.labels]);
  let [a, b] = [reduced(first, wanted(second)), reduced(second, wanted(first))];
  [a, b] = [narrowed(a, b), narrowed(b, a)];
  // What only broadcast is now in one of them alone.
  [a, b] = [reduced(a, wanted(b)), reduced(b, wanted(a))];
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const places = (term: Term, labels: readonly string[]): number[] => labels.map((label) => term.labels.indexOf(label));
  const batch = shared.filter((label) => kept.has(label));
  const summed = shared.filter((label) => !kept.has(label));
  const free = (term: Term): string[] => term.labels.filter((label) => !shared.includes(label));
  const tensor = contract(
    a.tensor,
    b.tensor,
    [places(a, summed), places(b, summed)],
    [places(a, batch), places(b, batch)],
  );
  return { tensor, labels: [...batch, ...free(a), ...free(b)] };
}

/** A term without its axes of extent 1 that the other has longer: they broadcast. */
function narrowed(term: Term, other: Term): Term {
  const stays = term.labels.map((label, axis) => {
    const place = other.labels.indexOf(label);
    return term.tensor.shape[axis] !== 1 || place < 0 || other.tensor.shape[place] === 1;
  });
  if (stays.every(Boolean)) return term;
  const shape = term.tensor.shape.filter((_, axis) => stays[axis]);
  return { tensor: reshape(term.tensor, shape), labels: term.labels.filter((_, axis) => stays[axis]) };
}

function arranged({ tensor, labels }: Term, output: readonly string[]): Tensor {
  return transpose(
    tensor,
    output.map((label) => labels.indexOf(label)),
  );
}
