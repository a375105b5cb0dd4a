import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ArgumentError } from "@jnx/tensor";
import type { TuningSource } from "./tuning.ts";

/**
 * The file that `jnx-bench tune` writes and `init` reads: JNX_TUNING's, else one in the user's cache folder.
 *
 * @example
 * tuningFile().endsWith(".json"); // true
 */
export function tuningFile(): string {
  const named = process.env["JNX_TUNING"];
  if (named !== undefined && named !== "") return named;
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "jnx", "tuning.json");
}

/** The file's content. None where there is no file, or JNX_TUNING is "off"; a file that was named must be there. */
export function readTuningFile(): TuningSource | undefined {
  const file = tuningFile();
  if (file === "off" || (process.env["JNX_TUNING"] === undefined && !existsSync(file))) return undefined;
  try {
    const content: unknown = JSON.parse(readFileSync(file, "utf8"));
    return { from: file, content };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ArgumentError(`init: the tuning of ${file}: cannot be read: ${why}; make it anew with jnx-bench tune`);
  }
}
