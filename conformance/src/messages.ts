/** What compilers of WGSL say of kernels, warnings too: every module that a device makes is asked. */

/** Where the class of devices is: a global, but in Node. */
interface Classes {
  readonly GPUDevice?: { readonly prototype: GPUDevice };
}

/** The texts compiled since, and what was said of them. */
export interface Compiled {
  readonly kernels: number;
  /** "kernel, line: message". */
  readonly messages: readonly string[];
}

/** Watches all devices from now on; the function returned tells what there was so far. */
export function watchCompilers({ GPUDevice: devices }: Classes = globalThis): () => Promise<Compiled> {
  const texts = new Set<string>();
  const messages: Promise<string[]>[] = [];
  const create = devices?.prototype.createShaderModule;
  if (devices !== undefined && create !== undefined)
    devices.prototype.createShaderModule = function (this: GPUDevice, description): GPUShaderModule {
      const module = create.call(this, description);
      if (!texts.has(description.code)) {
        texts.add(description.code);
        messages.push(said(module, description.label ?? "a kernel"));
      }
      return module;
    };
  return async () => ({ kernels: texts.size, messages: (await Promise.all(messages)).flat() });
}

async function said(module: GPUShaderModule, label: string): Promise<string[]> {
  const { messages } = await module.getCompilationInfo();
  return messages.map(({ type, lineNum, message }) => `${label}, line ${lineNum}: ${type}: ${message}`);
}
