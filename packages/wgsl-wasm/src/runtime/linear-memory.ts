import { NoAdapterError } from "@jnx/tensor";
import { Heap } from "./heap.ts";
import { RESERVED } from "./layout.ts";

const PAGE = 65536;
/** 4 GiB, all that 32-bit addresses reach; less where the engine cannot reserve that much. */
const MOST_PAGES = [65536, 49152, 32768, 16384, 8192];
/** Grown by at least this much: growing costs a system call and new views. */
const LEAST_GROWTH = 16 * 2 ** 20;
/** Blocks begin and end at cache lines, so that threads never share one and vec4 tails are inside. */
const ALIGNMENT = 64;

/** The one WebAssembly.Memory that holds all buffers, and who owns which part of it. */
export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  /** Views of all of it; new ones after each growth. */
  bytes: Uint8Array<ArrayBufferLike>;
  words: Int32Array<ArrayBufferLike>;
  /** Bytes that it can ever have. */
  readonly most: number;
  private readonly heap = new Heap();

  constructor(shared: boolean) {
    const { memory, pages } = reserve(shared);
    this.memory = memory;
    this.most = pages * PAGE;
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.heap.give(RESERVED, this.bytes.length - RESERVED);
  }

  /** The address of a new block, or undefined when there is no more memory. */
  take(bytes: number): number | undefined {
    const size = aligned(bytes);
    return this.heap.take(size) ?? (this.grow(size) ? this.heap.take(size) : undefined);
  }

  give(address: number, bytes: number): void {
    this.heap.give(address, aligned(bytes));
  }

  private grow(bytes: number): boolean {
    const end = this.bytes.length;
    const least = Math.ceil((bytes - this.heap.tail(end)) / PAGE);
    const wanted = Math.ceil(Math.max(bytes, LEAST_GROWTH, end / 8) / PAGE);
    // Less than wanted will do when the end is near.
    if (!this.tryGrow(wanted) && !this.tryGrow(least)) return false;
    this.bytes = new Uint8Array(this.memory.buffer);
    this.words = new Int32Array(this.memory.buffer);
    this.heap.give(end, this.bytes.length - end);
    return true;
  }

  private tryGrow(pages: number): boolean {
    try {
      this.memory.grow(pages);
      return true;
    } catch {
      return false;
    }
  }
}

function aligned(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
}

function reserve(shared: boolean): { memory: WebAssembly.Memory; pages: number } {
  let reason: unknown;
  for (const maximum of MOST_PAGES) {
    try {
      return { memory: new WebAssembly.Memory({ initial: 16, maximum, shared }), pages: maximum };
    } catch (error) {
      reason = error;
    }
  }
  throw new NoAdapterError(
    `init: WebAssembly memory could not be reserved: ${String(reason)}; close other pages or programs`,
  );
}
