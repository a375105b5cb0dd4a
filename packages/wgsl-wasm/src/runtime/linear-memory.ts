import { NoAdapterError } from "@jnx/tensor";
import { Heap } from "./heap.ts";
import { CELL, PAGE, RESERVED } from "./layout.ts";

/** WebAssembly's, which memory grows by. */
const UNIT = 65536;
/** 4 GiB, all that 32-bit addresses reach; less where the engine cannot reserve that much. */
const MOST_PAGES = [65536, 49152, 32768, 16384, 8192];
/** Grown by at least this much: growing costs a system call and new views. */
const LEAST_GROWTH = 16 * 2 ** 20;
/**
 * Memory past all blocks that idle workers touch, so that the system has given it out when it is needed: a first write takes some
 * 0.4 to 1.4 us a page, for 4 MiB as long as a transpose of it.
 */
const AHEAD = 8 * 2 ** 20;
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
  private readonly shared: boolean;
  private readonly heap = new Heap();
  /** Where the last block ended that was ever taken. */
  private taken = 0;

  constructor(shared: boolean) {
    const { memory, pages } = reserve(shared);
    this.memory = memory;
    this.shared = shared;
    this.most = pages * UNIT;
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.heap.give(RESERVED, this.bytes.length - RESERVED);
  }

  /** The address of a new block, or undefined when there is no more memory. */
  take(bytes: number): number | undefined {
    const size = aligned(bytes);
    const address = this.heap.take(size) ?? (this.grow(size) ? this.heap.take(size) : undefined);
    if (this.shared && address !== undefined && address + size > this.taken) this.reach(address + size);
    return address;
  }

  give(address: number, bytes: number): void {
    this.heap.give(address, aligned(bytes));
  }

  /** Tells idle threads what comes next: there are some where memory is shared. */
  private reach(end: number): void {
    this.taken = end;
    if (end + AHEAD > this.bytes.length) this.grow(AHEAD);
    const { words } = this;
    const page = Math.ceil(end / PAGE);
    if (Atomics.load(words, CELL.fresh) < page) Atomics.store(words, CELL.fresh, page);
    Atomics.store(words, CELL.freshEnd, Math.min(Math.ceil((end + AHEAD) / PAGE), this.bytes.length / PAGE));
  }

  private grow(bytes: number): boolean {
    const end = this.bytes.length;
    const least = Math.ceil((bytes - this.heap.tail(end)) / UNIT);
    const wanted = Math.ceil(Math.max(bytes, LEAST_GROWTH, end / 8) / UNIT);
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
