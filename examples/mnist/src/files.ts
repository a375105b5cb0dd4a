import { accessSync, constants, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Makes the folder that results go to, before an hour of training finds that it cannot be written. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Writes a file beside its place and renames it: a reader sees the old file or the new one, never a part. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const beside = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(beside, content);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw unwritable(path, error);
  }
}

function unwritable(path: string, cause: unknown): Error {
  const received = cause instanceof Error ? cause.message : String(cause);
  return new Error(`${path}: cannot be written, received ${received}; pass another folder with --out`, {
    cause,
  });
}
