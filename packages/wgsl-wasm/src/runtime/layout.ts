/** What lies in the first two pages of linear memory, before all buffers. Word indices where it says so, byte addresses else. */

/** Words shared by all threads. */
export const CELL = {
  /** Number of the latest job; workers wait for it to change. */
  job: 64,
  /** Bit 0: the job may be joined. The rest counts workers in it, by twos. */
  state: 80,
  /**
   * How often the first thread's part was claimed from; those of the others lie `nextStride` apart, each in a cache line of
   * its own: 32 of them end where TABLE begins.
   */
  next: 512,
  nextStride: 16,
  /** Workers that sleep. */
  sleeping: 112,
  /** Bit i: worker i has started. */
  ready: 113,
  /** Not 0 when workers are to end. */
  stop: 114,
  /** 1 + index of the first worker whose kernel trapped; its message lies at MESSAGE. */
  failed: 115,
  /** Chunks that workers have claimed, all jobs together. */
  claims: 116,
  /** Not 0 while a program runs that has work to share. */
  program: 117,
  /** The next page of PAGE bytes that nobody has touched, and where idle workers stop touching. */
  fresh: 118,
  freshEnd: 119,
  /** From here on: the job, written while nobody is in it. */
  kernel: 128,
  codeAddress: 129,
  codeBytes: 130,
  begin: 131,
  end: 132,
  /** In how many parts the job is cut, and how long they are. */
  parts: 133,
  part: 134,
  /** Workgroups of each of a part's first `chunks` claims, and of each later one. */
  chunk: 135,
  groupsX: 136,
  groupsY: 137,
  groupsZ: 138,
  scratch: 139,
  scratchStride: 140,
  table: 141,
  chunks: 142,
  fine: 143,
} as const;

/** What an operating system gives memory out by; a larger one is touched more than once. */
export const PAGE = 4096;
/** Length in bytes, then UTF-8. */
export const MESSAGE = 1024;
export const MESSAGE_BYTES = 1024;
/** Pairs (address, byte length), one per binding. */
export const TABLE = 4096;
export const MOST_BINDINGS = 512;
/** Uniforms of the dispatch that runs: WebGPU binds up to 64 KiB, and some have more than one. */
export const UNIFORMS = 8192;
/** Buffers begin here. */
export const RESERVED = 131072;
