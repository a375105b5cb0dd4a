import { ShapeDtypeStruct } from "@jnx/compile";
import { ArgumentError, astype, DtypeError, ShapeError, Tensor } from "@jnx/tensor";
import { isFloat, itemBytes, shapeText, checkKeys } from "@jnx/tensor/internal";
import { GraphError } from "./errors.ts";
import { decodeTensor, fileBytes, FORMAT } from "./io.ts";
import { lengthBytes, maxHeaderBytes } from "./safetensors-format.ts";
import { layoutSafetensors, parseSafetensorsHeader, SafetensorsError, type SafetensorsPlace } from "./safetensors.ts";
import { state as stateOf } from "./graph.ts";
import { pathText, type Path } from "./node.ts";
import { toFlatState, type Leaf } from "./state.ts";
import { checkWritable, isVariable, peek } from "./variable.ts";

/** Where files of a checkpoint go: a folder, an object store, a ZIP. Parts of a file come in order. */
export interface CheckpointSink {
  write(file: string, part: Uint8Array): void | Promise<void>;
}

/** Where files of a checkpoint come from: bytes `start` to `end` of one; all of it unless told. */
export interface CheckpointSource {
  read(file: string, start?: number, end?: number): Uint8Array | Promise<Uint8Array>;
}

/** How far saving or loading is. */
export interface CheckpointProgress {
  /** The array that was just written or read. */
  readonly name: string;
  readonly bytes: number;
  readonly totalBytes: number;
}

/** Options of saving and loading. */
export interface CheckpointOptions {
  readonly onProgress?: (progress: CheckpointProgress) => void;
  /** Stops between two arrays; a load that was stopped has changed nothing. */
  readonly signal?: AbortSignal;
  /** The file's name without its ending, "model". */
  readonly file?: string;
  /** "flax" for names as Flax has them in Python, `dense_i.kernel` for `denseI.kernel`. */
  readonly names?: "jnx" | "flax";
}

/** Options of `saveCheckpoint`. */
export interface SaveOptions extends CheckpointOptions {
  /** Files of at most so many bytes of arrays, with an index; one file unless given. */
  readonly maxShardBytes?: number;
  /** Text kept in every file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What is saved together: objects by name, such as `{ model, optimizer, rngs }`. */
export type CheckpointTarget = Readonly<Record<string, object>>;

interface Item<T = Tensor> {
  readonly name: string;
  readonly path: Path;
  readonly leaf: Leaf;
  readonly tensor: T;
}

/** What a file's array is compared with: an array, or what stands for one in an abstract model. */
type Typed = Pick<Tensor, "shape" | "dtype">;

/** The parts of a path as Flax writes them. */
function flaxName(part: string): string {
  return part.replaceAll(
    /([a-z0-9])([A-Z])/g,
    (_all, before: string, letter: string) => `${before}_${letter.toLowerCase()}`,
  );
}

function itemsOf<T>(
  fn: string,
  target: CheckpointTarget,
  names: CheckpointOptions["names"],
  arrayIn: (leaf: Leaf, value: unknown) => T | undefined,
): Item<T>[] {
  const found = Object.entries(target).flatMap(([key, object]) =>
    toFlatState(stateOf(object)).map(([path, leaf]): Item<T> => {
      const text = pathText([...(key === "" ? [] : [key]), ...path]);
      const name = names === "flax" ? text.split(".").map(flaxName).join(".") : text;
      const value = isVariable(leaf) ? peek(leaf) : leaf;
      const tensor = arrayIn(leaf, value);
      if (tensor === undefined)
        throw new DtypeError(`${fn}: "${text}" holds ${typeof value}, not an array; leave its object out`);
      return { name, path, leaf, tensor };
    }),
  );
  const twice = found.find(({ name }, k) => found.findIndex((other) => other.name === name) !== k);
  if (twice !== undefined)
    throw new ArgumentError(`${fn}: two arrays are named "${twice.name}"; rename one of the fields`);
  return found;
}

function savedIn(_leaf: Leaf, value: unknown): Tensor | undefined {
  return value instanceof Tensor ? value : undefined;
}

function bytesOf({ size, dtype }: Tensor): number {
  return size * (dtype === "bool" ? 1 : itemBytes(dtype));
}

function shardsOf(items: readonly Item[], limit: number): Item[][] {
  const shards: Item[][] = [[]];
  let filled = 0;
  for (const item of items) {
    const bytes = bytesOf(item.tensor);
    if (filled > 0 && filled + bytes > limit) {
      shards.push([]);
      filled = 0;
    }
    shards.at(-1)?.push(item);
    filled += bytes;
  }
  return shards;
}

/**
 * Saves objects together, array by array: model, optimizer, random streams and step resume bit for bit. Files are
 * safetensors; with `maxShardBytes` several, and an index as Hugging Face has it. Memory for one array is all it takes.
 *
 * @throws DtypeError for a Variable without an array, the signal's reason when it is aborted.
 * @example
 * const files = new Map<string, Uint8Array[]>();
 * const sink = { write: (file: string, part: Uint8Array) => void files.set(file, [...(files.get(file) ?? []), part]) };
 * await nnx.saveCheckpoint({ model, optimizer }, sink);
 * [...files.keys()]; // ["model.safetensors"]
 */
export async function saveCheckpoint(
  target: CheckpointTarget,
  sink: CheckpointSink,
  options: SaveOptions = {},
): Promise<void> {
  checkKeys("saveCheckpoint", options, "maxShardBytes metadata onProgress signal file names");
  const { file = "model", maxShardBytes = Number.POSITIVE_INFINITY, metadata = {}, onProgress, signal } = options;
  const items = itemsOf("saveCheckpoint", target, options.names, savedIn);
  const totalBytes = items.reduce((total, { tensor }) => total + bytesOf(tensor), 0);
  const shards = shardsOf(items, maxShardBytes);
  const fileOf = (k: number): string =>
    shards.length === 1 ? `${file}.safetensors` : `${file}-${number(k + 1)}-of-${number(shards.length)}.safetensors`;
  let bytes = 0;
  for (const [k, shard] of shards.entries()) {
    const byName = new Map(shard.map((item) => [item.name, item.tensor]));
    const places = new Map([...byName].map(([name, { dtype, shape }]) => [name, { dtype: FORMAT[dtype], shape }]));
    const { header, order } = layoutSafetensors(places, metadata);
    await sink.write(fileOf(k), header);
    for (const name of order) {
      signal?.throwIfAborted();
      const tensor = byName.get(name);
      const part = tensor === undefined ? new Uint8Array() : fileBytes(tensor.dtype, await tensor.data());
      await sink.write(fileOf(k), part);
      bytes += part.byteLength;
      onProgress?.({ name, bytes, totalBytes });
    }
  }
  if (shards.length === 1) return;
  const weightMap = Object.fromEntries(shards.flatMap((shard, k) => shard.map(({ name }) => [name, fileOf(k)])));
  const index = JSON.stringify({ metadata: { total_size: totalBytes }, weight_map: weightMap }, null, 2);
  await sink.write(`${file}.safetensors.index.json`, new TextEncoder().encode(index));
}

function number(k: number): string {
  return String(k).padStart(5, "0");
}

/** Options of `loadCheckpoint`. */
export interface LoadOptions extends CheckpointOptions {
  /** Whether the file may have arrays that the objects lack, or lack some; every path must fit unless told. */
  readonly strict?: boolean;
}

/**
 * Puts a checkpoint's arrays into objects like those that were saved. All is read and checked first: either everything
 * fits and is written, or nothing is.
 *
 * @throws GraphError listing the paths that are missing or left over, ShapeError or DtypeError listing those that do not
 * fit, SafetensorsError for damaged files, the signal's reason when it is aborted.
 * @example
 * const parts: Uint8Array[] = [];
 * await nnx.saveCheckpoint({ model }, { write: (_file, part) => void parts.push(part) });
 * const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
 * await nnx.loadCheckpoint({ model }, { read: (_file, start = 0, end = bytes.length) => bytes.slice(start, end) });
 */
export async function loadCheckpoint(
  target: CheckpointTarget,
  source: CheckpointSource,
  options: LoadOptions = {},
): Promise<void> {
  checkKeys("loadCheckpoint", options, "strict? onProgress signal file names");
  const { onProgress, signal, strict = true } = options;
  const items = itemsOf("loadCheckpoint", target, options.names, (leaf, value): Typed | undefined =>
    value instanceof ShapeDtypeStruct ? value : savedIn(leaf, value),
  );
  const places = await placesOf(source, options, signal);
  const known = items.flatMap((item) => {
    const place = places.get(item.name);
    return place === undefined ? [] : [{ item, place }];
  });
  checkFits(items, places, known, strict);
  const totalBytes = known.reduce((total, { place }) => total + place.end - place.begin, 0);
  const writes: (() => void)[] = [];
  let bytes = 0;
  for (const { item, place } of known) {
    signal?.throwIfAborted();
    const data = await source.read(place.file, place.begin, place.end);
    checkWhole(item.name, place, data.byteLength);
    const tensor = decodeTensor(item.name, { dtype: place.dtype, shape: place.shape, data }, place.file);
    writes.push(writer(item, tensor));
    bytes += data.byteLength;
    onProgress?.({ name: item.name, bytes, totalBytes });
  }
  for (const write of writes) write();
}

/** A source gives fewer bytes than were asked for where a file ends early. */
function checkWhole(name: string, { file, begin, end }: Found, received: number): void {
  if (received === end - begin) return;
  throw new SafetensorsError(
    `loadCheckpoint: ${file}: "${name}" needs the bytes from ${begin} to ${end}, received ${received} of ${end - begin}; the file is cut: copy it again; nothing was changed`,
  );
}

/** Where an array lies. */
interface Found extends SafetensorsPlace {
  readonly file: string;
}

async function placesOf(
  source: CheckpointSource,
  { file = "model" }: CheckpointOptions,
  signal: AbortSignal | undefined,
): Promise<Map<string, Found>> {
  const files = await filesOf(source, file);
  const places = new Map<string, Found>();
  for (const name of files) {
    signal?.throwIfAborted();
    for (const [key, place] of parseSafetensorsHeader(await headerOf(source, name), { file: name })) {
      const other = places.get(key);
      if (other !== undefined)
        throw new SafetensorsError(
          `loadCheckpoint: "${key}" is in ${other.file} and in ${name}; the shards do not belong together; nothing was changed`,
        );
      places.set(key, { ...place, file: name });
    }
  }
  return places;
}

/** The beginning of a file; of one that is no safetensors file as much as shows that. */
async function headerOf(source: CheckpointSource, file: string): Promise<Uint8Array> {
  const length = await source.read(file, 0, lengthBytes);
  if (length.byteLength < lengthBytes) return length;
  const size = Number(new DataView(length.slice().buffer).getBigUint64(0, true));
  return size > maxHeaderBytes ? length : source.read(file, 0, lengthBytes + size);
}

/** One file, or those that the index names. */
async function filesOf(source: CheckpointSource, file: string): Promise<string[]> {
  let index: Uint8Array | undefined;
  try {
    index = await source.read(`${file}.safetensors.index.json`);
  } catch {
    return [`${file}.safetensors`]; // no index: one file
  }
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(index));
    const map = typeof parsed === "object" && parsed !== null && "weight_map" in parsed ? parsed.weight_map : undefined;
    if (typeof map === "object" && map !== null) return [...new Set(Object.values(map).map(String))];
  } catch {
    // Not an index: what a source gives for a file that it lacks, or gives for every name.
  }
  return [`${file}.safetensors`];
}

/** Throws, with every path at once, where names differ (unless they may) or shapes. */
function checkFits(
  items: readonly Item<Typed>[],
  places: ReadonlyMap<string, Found>,
  known: readonly { readonly item: Item<Typed>; readonly place: Found }[],
  strict: boolean,
): void {
  const wanted = new Set(items.map(({ name }) => name));
  const missing = strict ? [...wanted].filter((name) => !places.has(name)) : [];
  const extra = strict ? [...places.keys()].filter((name) => !wanted.has(name)) : [];
  const wrong = known.filter(({ item, place }) => shapeText(item.tensor.shape) !== shapeText(place.shape));
  const problems = [
    ...(missing.length > 0 ? [`the file lacks ${list(missing)}`] : []),
    ...(extra.length > 0 ? [`the file has ${list(extra)}, which the objects lack`] : []),
    ...wrong.map(
      ({ item, place }) =>
        `"${item.name}" has shape ${shapeText(item.tensor.shape)}, the file ${shapeText(place.shape)}`,
    ),
  ];
  if (problems.length === 0) return;
  const text = `loadCheckpoint: ${problems.join("; ")}`;
  if (missing.length + extra.length === 0) throw new ShapeError(`${text}; nothing was changed`);
  throw new GraphError(
    `${text}; load into objects like those that were saved, or pass { strict: false }; nothing was changed`,
  );
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 20).map((name) => `"${name}"`);
  return shown.join(", ") + (names.length > 20 ? ` and ${names.length - 20} more` : "");
}

function writer({ name, path, leaf, tensor }: Item<Typed>, read: Tensor): () => void {
  // Floats of the file become the model's: weights are often saved in fewer bits than they are trained in.
  const next = isFloat(read.dtype) && isFloat(tensor.dtype) ? astype(read, tensor.dtype) : read;
  if (next.dtype !== tensor.dtype)
    throw new DtypeError(
      `loadCheckpoint: "${name}" is ${tensor.dtype}, the file has ${next.dtype}; nothing was changed`,
    );
  if (!isVariable(leaf))
    throw new SafetensorsError(
      `loadCheckpoint: "${pathText(path)}" is a bare array in a field; make it a Variable, so that it can be written`,
    );
  checkWritable(leaf);
  return () => leaf.setRawValue(next);
}
