/** Small blocks cut out of larger pieces of memory. Knows nothing of WebGPU. */
import { sizeClass, type Block } from "./pool.ts";

/** A piece of memory cut into blocks of one size. */
export interface Slab<B extends Block> {
  readonly blocks: readonly B[];
  readonly free: B[];
}

/** Blocks up to this size are cut out of slabs. */
const LARGEST = 4 * 1024 * 1024;
/** Of blocks up to this size slabs are small, and kept. */
const SMALL = 64 * 1024;
const [SMALLEST_SLAB, LARGEST_SMALL, LARGEST_SLAB] = [64 * 1024, 1024 * 1024, 16 * 1024 * 1024];
/** Where parts of a buffer can be bound: WebGPU's default minStorageBufferOffsetAlignment. */
const ALIGNMENT = 256;

/** Bytes of the blocks that serve `bytes`, a size class too; undefined when that is too much for a slab. */
export function slabClass(bytes: number): number | undefined {
  const size = Math.ceil(sizeClass(bytes) / ALIGNMENT) * ALIGNMENT;
  return size <= LARGEST ? size : undefined;
}

/**
 * How many blocks of `size` a new slab has, where there are `existing` of them; fewer than two are not worth one. There are
 * twice as many afterwards: a loop whose results wait for the collector makes new memory now and then instead of each turn,
 * and never more than twice what it needs.
 */
export function blocksIn(size: number, existing: number): number {
  const most = isSmall(size) ? LARGEST_SMALL : LARGEST_SLAB;
  return Math.floor(Math.min(most, Math.max(SMALLEST_SLAB, existing * size)) / size);
}

/** Whether blocks of this size lie in slabs even where a buffer of their own is free: kernels then share bind groups. */
export function isSmall(size: number): boolean {
  return size <= SMALL;
}

/**
 * Free blocks by size and slab. A device binds parts of few buffers more cheaply than many buffers, but refuses a kernel
 * that reads one part of a buffer and writes another: so a block is asked for apart from the slabs of the operands.
 */
export class Slabs<B extends Block> {
  /** Bytes of the free blocks. */
  bytes = 0;
  private readonly homes = new Map<B, Slab<B>>();
  /** Slabs with free blocks by block size, the ones used last at the end. */
  private readonly open = new Map<number, Slab<B>[]>();
  private readonly destroy: (blocks: readonly B[]) => void;

  /** `destroy` is given all blocks of a slab, of which none is in use. */
  constructor(destroy: (blocks: readonly B[]) => void) {
    this.destroy = destroy;
  }

  /** A free block of exactly `size` in none of the slabs of `apart`, or undefined. */
  take(size: number, apart: readonly B[]): B | undefined {
    const list = this.open.get(size);
    if (list === undefined) return undefined;
    for (let k = list.length - 1; k >= 0; k--) {
      const slab = list[k];
      if (slab === undefined || this.holdsAny(slab, apart)) continue;
      const block = slab.free.pop();
      if (slab.free.length === 0) list.splice(k, 1);
      if (block === undefined) continue;
      this.bytes -= size;
      return block;
    }
    return undefined;
  }

  private holdsAny(slab: Slab<B>, blocks: readonly B[]): boolean {
    for (let k = 0; k < blocks.length; k++) {
      const block = blocks[k];
      if (block !== undefined && this.homes.get(block) === slab) return true;
    }
    return false;
  }

  /** Adds a slab, all of whose blocks are free. */
  add(blocks: readonly B[]): void {
    const slab = { blocks, free: [...blocks].reverse() };
    for (const block of blocks) {
      this.homes.set(block, slab);
      this.bytes += block.bytes;
    }
    this.listOf(blocks).push(slab);
  }

  /**
   * Takes a block back, and destroys its slab if nothing of it is in use and more than `limit` bytes are free; false for one
   * that was not cut out of a slab.
   */
  give(block: B, limit: number): boolean {
    const slab = this.homes.get(block);
    if (slab === undefined) return false;
    if (slab.free.length === 0) this.listOf(slab.blocks).push(slab);
    slab.free.push(block);
    this.bytes += block.bytes;
    if (slab.free.length === slab.blocks.length && this.bytes > limit) this.drop(slab);
    return true;
  }

  /** Destroys all slabs of which nothing is in use. */
  trim(): void {
    for (const list of this.open.values())
      for (const slab of [...list]) if (slab.free.length === slab.blocks.length) this.drop(slab);
  }

  private drop(slab: Slab<B>): void {
    const list = this.listOf(slab.blocks);
    list.splice(list.indexOf(slab), 1);
    for (const block of slab.blocks) {
      this.homes.delete(block);
      this.bytes -= block.bytes;
    }
    this.destroy(slab.blocks);
  }

  private listOf(blocks: readonly B[]): Slab<B>[] {
    const size = blocks[0]?.bytes ?? 0;
    let list = this.open.get(size);
    if (list === undefined) this.open.set(size, (list = []));
    return list;
  }
}
