import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { constants, homedir, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

const ARCHIVE = "bin/swiftshader.tar.br";

/**
 * Unpacks the SwiftShader driver of `@sparticuz/chromium` into a cache folder, once per version, and returns that folder.
 * Processes that start together must not see half a file: each unpacks into a folder of its own and renames it.
 */
export function unpackSwiftShader(packageFile: string): string {
  const root = packageRoot(packageFile);
  // The package's own manifest: its fields are npm's.
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  let failure: unknown;
  for (const cache of cacheFolders()) {
    try {
      return unpackInto(cache, `swiftshader-${version}`, join(root, ARCHIVE));
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Loads a Vulkan loader for Dawn to find: an already loaded `libvulkan.so.1` is what its own search returns. */
export function loadVulkan(file: string): void {
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen;
  const RTLD_NODELETE = 0x1000;
  try {
    process.dlopen({ exports: {} }, file, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  } catch (error) {
    // It is no Node addon, and Node says so after having loaded it.
    if (!(error instanceof Error && error.message.includes("did not self-register"))) throw error;
  }
}

function packageRoot(file: string): string {
  for (let folder = file; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, ARCHIVE))) return folder;
  }
  throw new Error(`${ARCHIVE} is not in the package; version 147.0.0 has it`);
}

/** Where to unpack, best first. Libraries are loaded from there, so nobody else may write to it. */
function cacheFolders(): string[] {
  const own = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "jnx");
  return [own, join(tmpdir(), `jnx-${process.getuid?.() ?? "cache"}`)];
}

function unpackInto(cache: string, name: string, archive: string): string {
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  if (statSync(cache).uid !== process.getuid?.()) throw new Error(`${cache} belongs to somebody else`);
  const target = join(cache, name);
  if (existsSync(target)) return target;
  const temporary = mkdtempSync(join(cache, `${name}-`));
  try {
    for (const [file, data] of untar(brotliDecompressSync(readFileSync(archive)))) {
      writeFileSync(join(temporary, basename(file)), data);
    }
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    // Another process was faster: its folder is complete, for renaming is atomic.
    if (!existsSync(target)) throw error;
  }
  return target;
}

/** The regular files of a tar archive: blocks of 512 bytes, a header with name and octal size before each file. */
function* untar(tar: Buffer): Generator<[name: string, data: Buffer]> {
  for (let at = 0; at + 512 <= tar.length;) {
    const name = tar.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    if (name === "") return;
    const size = parseInt(tar.toString("latin1", at + 124, at + 136), 8);
    const type = tar[at + 156];
    at += 512;
    if (type === 0 || type === "0".charCodeAt(0)) yield [name, tar.subarray(at, at + size)];
    at += Math.ceil(size / 512) * 512;
  }
}
