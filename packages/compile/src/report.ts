/** What a compiled function costs a call: exact on every device. */
export interface ProgramReport {
  readonly dispatches: number;
  /** Distinct pipelines. */
  readonly pipelines: number;
  /** Bytes that kernels read and write, each operand and result counted once for each dispatch. */
  readonly bytesMoved: number;
  /** Additions and multiplications of the captured graph: see flops.ts for what counts. */
  readonly flops: number;
  /**
   * The same if every fused group were one dispatch that reads and writes only what crosses its border: what is above that is
   * what the stages of reductions, products and convolutions pass on.
   */
  readonly bytesAtBorders: number;
  /** Bytes of temporaries that live while it runs. */
  readonly temporaryBytes: number;
  /** One line for each kernel. */
  readonly kernels: readonly string[];
  /** The captured graph. */
  readonly graph: string;
}
