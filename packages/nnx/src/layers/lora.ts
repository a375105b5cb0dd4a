import { add, ArgumentError, matmul, type DType, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor, checkKeys } from "@jnx/tensor/internal";
import { heUniform, zeros, type Initializer } from "../initializers.ts";
import { Module } from "../module.ts";
import type { RngsOptions } from "../rngs.ts";
import { makeVariable, readValue, type Metadata, type Variable, type VariableClass } from "../variable.ts";
import { LoRAParam } from "../variable-types.ts";
import { Linear, type LinearOptions } from "./linear.ts";
import { makeParam, promoteDtype, type PromoteDtype } from "./params.ts";

/** What the two small matrices are made of. */
export interface LoRAInitOptions {
  /** heUniform() unless given. */
  readonly aInitializer?: Initializer;
  /** zeros unless given, so that the adapter adds nothing at first. */
  readonly bInitializer?: Initializer;
  /** The class of the two Variables, LoRAParam; one of your own keeps them apart from Params. */
  readonly loraParamType?: VariableClass<Variable>;
  readonly aMetadata?: Metadata;
  readonly bMetadata?: Metadata;
}

/** Something that a LoRA adds to: called with the same input. */
export interface BaseModule {
  call(x: TensorLike): Tensor;
}

/** Options of `LoRA`. */
export interface LoRAOptions extends RngsOptions, LoRAInitOptions {
  /** What the product is added to. */
  readonly baseModule?: BaseModule;
  /** The dtype to compute in; that of the operands unless given. */
  readonly dtype?: DType;
  /** The dtype of the parameters, float32. */
  readonly paramDtype?: DType;
  /** What brings operands to one dtype instead of the layer's own rule. */
  readonly promoteDtype?: PromoteDtype | undefined;
}

/**
 * A low-rank adapter: x · loraA · loraB (+ baseModule(x)), loraA [inFeatures, loraRank], loraB [loraRank, outFeatures].
 * Draws two keys of the stream `params`. Source: flax.nnx.LoRA; Hu et al. 2021.
 *
 * @example
 * const base = new nnx.Linear(3, 4, { rngs: new nnx.Rngs(0) });
 * const adapted = new nnx.LoRA(3, 2, 4, { baseModule: base, rngs: new nnx.Rngs(1) });
 * adapted.call(ones([1, 3])).shape; // [1, 4]
 * nnx.toFlatState(nnx.state(adapted, nnx.LoRAParam)).map(([path]) => path); // [["loraA"], ["loraB"]]
 */
export class LoRA extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly dtype: DType | undefined;
  readonly paramDtype: DType;
  readonly promoteDtype: PromoteDtype | undefined;
  readonly baseModule: BaseModule | null;
  readonly loraA: Variable;
  readonly loraB: Variable;

  constructor(inFeatures: number, loraRank: number, outFeatures: number, options: LoRAOptions) {
    checkKeys(
      "LoRA",
      options,
      "rngs baseModule dtype paramDtype promoteDtype aInitializer bInitializer loraParamType aMetadata",
      "bMetadata",
    );
    super();
    const { rngs, baseModule = null, dtype, paramDtype = "float32" } = options;
    const { aInitializer = heUniform(), bInitializer = zeros, loraParamType = LoRAParam } = options;
    if (baseModule !== null && typeof baseModule.call !== "function")
      throw new ArgumentError(`LoRA: baseModule must have a method call, received ${typeof baseModule}`);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.dtype = dtype;
    this.paramDtype = paramDtype;
    this.promoteDtype = options.promoteDtype;
    this.baseModule = baseModule;
    const make = (init: Initializer, shape: readonly number[], metadata: Metadata | undefined): Variable => {
      const { value, metadata: all } = makeParam(init, rngs.params(), shape, paramDtype, metadata);
      return makeVariable(loraParamType, value, all);
    };
    this.loraA = make(aInitializer, [inFeatures, loraRank], options.aMetadata);
    this.loraB = make(bInitializer, [loraRank, outFeatures], options.bMetadata);
  }

  /** x: [..., inFeatures] → [..., outFeatures] */
  call(x: TensorLike): Tensor {
    const operands = [asTensor(x, "LoRA"), readValue(this.loraA), readValue(this.loraB)] as const;
    const [input, a, b] = (this.promoteDtype ?? promoteDtype)(operands, this.dtype);
    const product = matmul(matmul(input, a), b);
    return this.baseModule === null ? product : add(product, this.baseModule.call(input));
  }
}

/** Options of `LoRALinear`. */
export interface LoRALinearOptions extends LinearOptions, LoRAInitOptions {
  readonly loraRank: number;
  /** The dtype the adapter computes in. */
  readonly loraDtype?: DType;
  /** The dtype of the adapter's parameters, float32. */
  readonly loraParamDtype?: DType;
  /** What brings the adapter's operands to one dtype. */
  readonly loraPromoteDtype?: PromoteDtype | undefined;
}

/**
 * A Linear with an adapter: its own parameters keep their paths, the adapter's are under `lora`. Draws the keys of
 * Linear, then those of LoRA. Source: flax.nnx.LoRALinear.
 *
 * @example
 * const layer = new nnx.LoRALinear(3, 4, { loraRank: 2, rngs: new nnx.Rngs(0) });
 * layer.lora.loraA.shape; // [3, 2]
 */
export class LoRALinear extends Linear {
  readonly lora: LoRA;

  constructor(inFeatures: number, outFeatures: number, options: LoRALinearOptions) {
    checkKeys(
      "LoRALinear",
      options,
      "rngs loraRank loraDtype loraParamDtype loraPromoteDtype useBias? dtype paramDtype kernelInit biasInit",
      "dotGeneral kernelMetadata biasMetadata precision promoteDtype preferredElementType aInitializer",
      "bInitializer loraParamType aMetadata bMetadata",
    );
    const { loraRank, loraDtype, loraParamDtype, loraPromoteDtype, ...others } = options;
    const { aInitializer, bInitializer, loraParamType, aMetadata, bMetadata, ...linear } = others;
    super(inFeatures, outFeatures, linear);
    this.lora = new LoRA(inFeatures, loraRank, outFeatures, {
      rngs: linear.rngs,
      ...(aInitializer && { aInitializer }),
      ...(bInitializer && { bInitializer }),
      ...(loraParamType && { loraParamType }),
      ...(aMetadata && { aMetadata }),
      ...(bMetadata && { bMetadata }),
      ...(loraDtype && { dtype: loraDtype }),
      ...(loraParamDtype && { paramDtype: loraParamDtype }),
      ...(loraPromoteDtype && { promoteDtype: loraPromoteDtype }),
    });
  }

  override call(x: TensorLike): Tensor {
    return add(super.call(x), this.lora.call(x));
  }
}
