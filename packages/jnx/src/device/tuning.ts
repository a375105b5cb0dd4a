import { parseTuning, type Tuning } from "@jnx/kernels-wgsl";
import { ArgumentError } from "@jnx/tensor";
import type { AdapterInfo } from "@jnx/tensor/internal";

/** What `jnx-bench tune` writes: how kernels cut their work, by adapter. */
export interface TuningFile {
  readonly format: "jnx-tuning-1";
  /** Tilings by adapter: `${info.adapter} / ${info.description}` of what `init` returns. */
  readonly adapters: Readonly<Record<string, Tuning>>;
}

/** A tuning, and where it came from, for errors. */
export interface TuningSource {
  readonly from: string;
  readonly content: unknown;
}

let source: () => TuningSource | undefined = () => undefined;

/** Where this platform keeps tunings; Node's entry point puts its own here. */
export function setTuningSource(next: () => TuningSource | undefined): void {
  source = next;
}

type AdapterNames = Pick<AdapterInfo, "vendor" | "architecture" | "device" | "description">;

/** The adapter as tunings know it, and as `init` names it: another version of a driver is another adapter. */
function keyOf({ vendor, architecture, device, description }: AdapterNames): string {
  return `${[vendor, architecture].filter(Boolean).join(" ") || "unknown"} / ${description || device || ""}`;
}

/**
 * The tuning of this adapter: out of `given`, else out of the platform's file, if there is one and it knows the adapter.
 *
 * @throws ArgumentError that names the file when it is none of ours or holds what cannot be.
 */
export function tuningFor(adapter: AdapterNames, given: TuningFile | false | undefined): Tuning | undefined {
  if (given === false) return undefined;
  const found = given === undefined ? source() : { from: "options.tuning", content: given };
  if (found === undefined) return undefined;
  const { from, content } = found;
  const wrong = (what: string): ArgumentError =>
    new ArgumentError(`init: the tuning of ${from}: ${what}; make it anew with jnx-bench tune, or remove it`);
  if (typeof content !== "object" || content === null) throw wrong("is no object");
  // Read field by field: whoever wrote the file.
  const { format, adapters } = content as Partial<Record<keyof TuningFile, unknown>>;
  if (format !== "jnx-tuning-1") throw wrong(`is of format ${JSON.stringify(format)}, not "jnx-tuning-1"`);
  if (typeof adapters !== "object" || adapters === null) throw wrong(`has no "adapters"`);
  const entry: unknown = Object.entries(adapters).find(([key]) => key === keyOf(adapter))?.[1];
  if (entry === undefined) return undefined;
  try {
    return parseTuning(entry);
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}
