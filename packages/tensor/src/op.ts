import type { Stage, WgslFunction } from "@jnx/kernels-wgsl";
import type { ComputedDType, DType } from "./dtype.ts";
import type { Limits } from "./device/executor.ts";
import type { Aval, Tensor } from "./tensor.ts";
import type { View } from "./view.ts";

/**
 * An op as a record: everything the interpreters ask about it. Eager execution, the tape and the compiler read these
 * fields and never an op's name. Rules are plain functions from tensors to tensors, so they live beside the forward.
 */
export type OpDef<A> = MapOp<A> | ReduceOp<A> | ViewOp<A> | KernelOp<A>;

/** An op whose attributes the caller treats as opaque. */
// The attributes' type is known only to the record itself; a rule is always called with the attrs it was bound with.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyOp = OpDef<any>;

interface OpBase<A> {
  readonly name: string;
  /** Shape and dtype of the result. Throws ShapeError or DtypeError naming the op. */
  infer(inputs: readonly Aval[], attrs: A): Aval;
  /** True if it only moves elements, whatever they are: then it moves keys, too. Views all do. */
  readonly moves?: true;
  /** The reverse-mode rule, or the word that says there is none to give. */
  readonly vjp: VjpRule<A> | "nondifferentiable";
  /** The forward-mode rule. Without one, the tangent comes from `vjp`, which is linear in its cotangent, transposed. */
  readonly jvp?: JvpRule<A>;
  /**
   * Every element of the result, when each operand is one number repeated; undefined if it must be computed. Asked
   * below all tapes: a public function that looked at its operands' values itself would hide the op from them.
   */
  fold?(values: readonly number[], inputs: readonly Aval[], attrs: A): number | undefined;
}

/** What a reverse-mode rule may use. */
export interface VjpContext<A> {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly attrs: A;
  /** Which inputs a cotangent is wanted for; the others may be left undefined. */
  readonly needs: readonly boolean[];
}

/** From the output's cotangent to the inputs': one entry each, undefined meaning zero. Calls ops again, through `bind`. */
export type VjpRule<A> = (context: VjpContext<A>, cotangent: Tensor) => readonly (Tensor | undefined)[];

/** From the inputs' tangents (undefined meaning zero; at least one is given) to the output's. Calls ops, through `bind`. */
export type JvpRule<A> = (
  context: { readonly inputs: readonly Tensor[]; readonly output: Tensor; readonly attrs: A },
  tangents: readonly (Tensor | undefined)[],
) => Tensor | undefined;

/**
 * The op for a whole batch at once. Inputs marked in `batched` (at least one) carry the batch as their first axis, the
 * others are the same for every example; the result carries it first, unless it says that it is the same for all. Calls
 * ops, through `bind`.
 */
export type BatchRule<A> = (
  inputs: readonly Tensor[],
  batched: readonly boolean[],
  attrs: A,
) => Tensor | { readonly unbatched: Tensor };

/** One result element from the same element of each input (all of the result's shape). Fusible with anything. */
export interface MapOp<A> extends OpBase<A> {
  readonly kind: "map";
  /** The batching rule; none for maps that see elements alone: they broadcast. */
  readonly batch?: BatchRule<A>;
  /**
   * The WGSL expression of the result, given those of the inputs, over the aliases F, I, U and B; `dtypes` are the inputs'
   * and the result's as kernels compute them. Where the result's own dtype is packed, the emitter rounds or wraps it.
   */
  wgsl(args: readonly string[], context: MapContext, attrs: A, dtypes: readonly ComputedDType[]): string;
  /** True if `wgsl` asks for `context.index()`: iota, random bits. */
  readonly indexed?: boolean;
  /** True if computing it twice costs more than storing it: a Threefry block, say. */
  readonly expensive?: boolean;
}

/** What the WGSL of a map op may ask of the kernel it lands in. */
export interface MapContext {
  /** Makes a library function available and returns its name. */
  use(fn: WgslFunction): string;
  /** A number that travels in the uniform, as an expression of type F, I or U. */
  constant(value: number, dtype: "float32" | "int32" | "uint32"): string;
  /** The row-major index of the element within the op's own result, of type U. */
  index(): string;
}

/** Combines elements along axes. The operand is read through a hook, the result written through one. */
export interface ReduceOp<A> extends OpBase<A> {
  readonly kind: "reduce";
  /** The batching rule. */
  readonly batch: BatchRule<A>;
  readonly combine: "sum" | "prod" | "max" | "min" | "any" | "all";
  axes(attrs: A): readonly number[];
}

/** Moves no data: a new way to walk the same storage. */
export interface ViewOp<A> extends OpBase<A> {
  readonly kind: "view";
  /** The batching rule. */
  readonly batch: BatchRule<A>;
  /** The result's view of the input's storage, or undefined if the elements must be copied to be contiguous first. */
  view(view: View, attrs: A): View | undefined;
}

/** Anything else: a family of hand-written kernels that a `plan` chooses from. */
export interface KernelOp<A> extends OpBase<A> {
  readonly kind: "kernel";
  /** The batching rule. */
  readonly batch: BatchRule<A>;
  /** What lies in the memory between stages, if not the result's dtype. */
  readonly workspaceDType?: ComputedDType;
  /** True if the kernel can walk this operand as it lies; otherwise it is copied to be contiguous. */
  accepts(view: View, operand: number, attrs: A): boolean;
  plan(operands: readonly KernelOperand[], attrs: A, limits: Limits): readonly KernelStage[];
  /** Additions and multiplications, where a kernel does more than move: 2·m·n·k of a product. */
  flops?(inputs: readonly Aval[], attrs: A): number;
}

/** An operand as the kernel finds it: what is packed has been unpacked before it. */
export interface KernelOperand {
  readonly aval: ComputedAval;
  /** The dtype before it was unpacked. */
  readonly given: DType;
  readonly view: View;
}

/** Shape and dtype of an array whose elements are words. */
export type ComputedAval = Aval & { readonly dtype: ComputedDType };

/** A stage with the op's operands that its group 0 binds, in binding order. */
export interface KernelStage extends Stage {
  readonly operands: readonly number[];
  /** For operands that the kernel reads through its `load` hook instead: which one. */
  readonly loads?: number;
}
