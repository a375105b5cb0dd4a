/** One 4-byte member of a uniform struct. */
export interface UniformField {
  readonly name: string;
  readonly type: "u32" | "i32" | "f32";
  /** Bytes from the start of the struct. */
  readonly offset: number;
}

/** A flat uniform struct as WGSL lays it out: its size in bytes and where each member lies. */
export interface UniformLayout {
  readonly bytes: number;
  readonly fields: readonly UniformField[];
}

/** One `@group(g) @binding(b) var<…>` of a kernel. `layout` is there when it is a uniform. */
export interface Binding {
  readonly group: 0 | 1;
  readonly binding: number;
  readonly name: string;
  readonly access: "uniform" | "read" | "read_write";
  readonly layout?: UniformLayout;
}

/**
 * A .wgsl file as data: the text before, inside and after its default block, with what reflection found
 * (bindings of the default linking included). Written by `pnpm gen`, never by hand.
 */
export interface Kernel {
  readonly name: string;
  readonly head: string;
  readonly block: string;
  readonly body: string;
  /** What it calls of the libraries that its file names with `//#use`. */
  readonly functions?: readonly WgslFunction[];
  readonly bindings: readonly Binding[];
  /** Of the default linking; a block that sets other tile constants has another. */
  readonly workgroupSize: readonly [number, number, number];
}

/** Final WGSL, ready for an executor. Two LinkedKernels with equal `code` are the same pipeline. */
export interface LinkedKernel {
  readonly name: string;
  readonly code: string;
  readonly bindings: readonly Binding[];
}

/** A WGSL function or module constant as data, with those it needs. Written by `pnpm gen`. */
export interface WgslFunction {
  readonly name: string;
  readonly source: string;
  readonly uses: readonly WgslFunction[];
}

/** What `link` replaces in a kernel; whatever is absent stays as the file has it. */
export interface LinkOptions {
  /** WGSL instead of the default block: aliases, tile constants, hooks and the hooks' bindings. */
  readonly block?: string;
  /** Library functions that the block calls; those that they use come along. */
  readonly functions?: readonly WgslFunction[];
  /** The group-1 bindings that the new block declares, instead of the default block's. */
  readonly bindings?: readonly Binding[];
  /** The name for errors and profiles; the kernel's own when absent. */
  readonly name?: string;
}

/**
 * Turns a kernel into final WGSL: head, block, the block's and the kernel's library functions in dependency order (each
 * once), body.
 * WGSL lets a name be used before it is declared, so linking is concatenation and nothing else.
 *
 * @throws Error when two different functions share a name, when functions use each other in a circle, or
 * when `bindings` holds one outside group 1 or two in the same place.
 * @example
 * link(map, { block: "alias F = f32;\nfn apply(x: F) -> F { return op_exp(x); }", functions: [op_exp] });
 */
export function link(kernel: Kernel, options: LinkOptions = {}): LinkedKernel {
  const name = options.name ?? kernel.name;
  const parts = [kernel.head, options.block ?? kernel.block];
  for (const fn of inOrder([...(options.functions ?? []), ...(kernel.functions ?? [])], name)) parts.push(fn.source);
  parts.push(kernel.body);
  const code = parts
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .join("\n");
  return { name, code: `${code}\n`, bindings: mergeBindings(kernel, options.bindings, name) };
}

/** Every function needed, each once, after those that it uses. */
function inOrder(roots: readonly WgslFunction[], kernel: string): WgslFunction[] {
  const done = new Map<string, WgslFunction>();
  const open = new Set<string>();
  const visit = (fn: WgslFunction): void => {
    const known = done.get(fn.name);
    if (known !== undefined) {
      if (known.source === fn.source) return;
      throw new Error(`link: ${kernel} needs two different functions named ${fn.name}; rename one of them`);
    }
    if (open.has(fn.name)) {
      throw new Error(`link: ${kernel}: the functions ${[...open].join(" -> ")} use each other; WGSL has no recursion`);
    }
    open.add(fn.name);
    fn.uses.forEach(visit);
    open.delete(fn.name);
    done.set(fn.name, fn);
  };
  roots.forEach(visit);
  return [...done.values()];
}

function mergeBindings(kernel: Kernel, hooks: readonly Binding[] | undefined, name: string): readonly Binding[] {
  if (hooks === undefined) return kernel.bindings;
  const places = new Set<number>();
  for (const binding of hooks) {
    if (binding.group !== 1) {
      throw new Error(
        `link: ${name}: binding ${binding.name} is in group ${binding.group}; hooks bind in group 1, group 0 is the kernel's`,
      );
    }
    if (places.has(binding.binding)) {
      throw new Error(`link: ${name}: ${binding.name} is the second binding at @group(1) @binding(${binding.binding})`);
    }
    places.add(binding.binding);
  }
  const sorted = [...hooks].sort((a, b) => a.binding - b.binding);
  return [...kernel.bindings.filter((binding) => binding.group === 0), ...sorted];
}
