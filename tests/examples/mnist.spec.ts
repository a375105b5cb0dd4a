import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it, vi } from "vitest";
import { command, parseArguments } from "@jnx/example-mnist/cli.ts";
import {
  DataError,
  firstOf,
  imageOf,
  labelsOf,
  loadMnist,
  pixels,
  pixelsOf,
  type Split,
} from "@jnx/example-mnist/data.ts";
import { makeFolder, writeWhole } from "@jnx/example-mnist/files.ts";
import { Progress } from "@jnx/example-mnist/progress.ts";
import { confusion, confusionTable, drawDigits, lossCurve } from "@jnx/example-mnist/report.ts";
import { parseSafetensors } from "../../packages/nnx/src/safetensors.ts";

const scratch = mkdtempSync(join(tmpdir(), "jnx-mnist-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** An IDX file of bytes with this magic number and these sizes. */
function idx(magic: number, sizes: readonly number[], values: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * sizes.length + values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of [magic, ...sizes].entries()) view.setUint32(4 * i, word);
  bytes.set(values, 4 + 4 * sizes.length);
  return bytes;
}

const images = (count: number, grey = 9) => idx(0x803, [count, 28, 28], new Uint8Array(count * pixels).fill(grey));
const labels = (count: number, label = 3) => idx(0x801, [count], new Uint8Array(count).fill(label));

/** A folder of a tiny data set, with some of its files replaced or (undefined) left out. */
function folder(replaced: Record<string, Uint8Array | undefined> = {}): string {
  const dir = mkdtempSync(join(scratch, "data-"));
  const files: Record<string, Uint8Array | undefined> = {
    "train-images-idx3-ubyte": images(5),
    "train-labels-idx1-ubyte": labels(5),
    "t10k-images-idx3-ubyte": images(2),
    "t10k-labels-idx1-ubyte": labels(2),
    ...replaced,
  };
  for (const [name, bytes] of Object.entries(files)) if (bytes) writeFileSync(join(dir, name), bytes);
  return dir;
}

describe("data", () => {
  it("holds all 60,000 and 10,000 images of the npm package", () => {
    const { train, test } = loadMnist();
    expect([train.count, train.images.length, train.labels.length]).toEqual([60_000, 60_000 * 784, 60_000]);
    expect([test.count, test.images.length, test.labels.length]).toEqual([10_000, 10_000 * 784, 10_000]);
    expect([...train.labels.subarray(0, 5), ...test.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9, 7, 2, 1, 0, 4]);
    const sum = train.images.reduce((total, value) => total + value, 0);
    expect(sum / 255 / train.images.length).toBeCloseTo(0.1307, 4);
  });

  it("reads a folder of IDX files", () => {
    const { train, test } = loadMnist(folder());
    expect([train.count, test.count]).toEqual([5, 2]);
    expect(imageOf(train, 4)).toEqual({
      image: new Uint8Array(784).fill(9),
      label: 3,
    });
    expect(firstOf(train, 2).images).toHaveLength(2 * 784);
    expect(firstOf(test, 10).count).toBe(2);
  });

  it("makes batches of pixels above the training set's mean image, and zeros past the end", () => {
    const { train, test } = loadMnist(folder({ "t10k-images-idx3-ubyte": images(2, 73) }));
    expect(test.mean).toEqual(new Float32Array(pixels).fill(9));
    expect(pixelsOf(train, [4]).every((value) => value === 0)).toBe(true);
    const batch = pixelsOf(test, [1, 2]);
    expect(batch).toHaveLength(2 * pixels);
    expect(batch.subarray(0, pixels).every((value) => value === 1)).toBe(true);
    expect(batch.subarray(pixels).every((value) => value === 0)).toBe(true);
    const split: Split = { ...test, labels: Uint8Array.from([4, 7]) };
    expect(labelsOf(split, [1, 0, 2])).toEqual(Int32Array.from([7, 4, 0]));
  });

  const trainImages = "train-images-idx3-ubyte";
  const testLabels = "t10k-labels-idx1-ubyte";
  it.each<[string, string, Uint8Array | undefined, RegExp]>([
    [
      "a missing file",
      trainImages,
      undefined,
      /cannot be read, received ENOENT.*; --data expects a folder with train-images/,
    ],
    [
      "an empty file",
      trainImages,
      new Uint8Array(0),
      /truncated in the header, received 0 bytes, expected at least 16;/,
    ],
    [
      "a truncated file",
      trainImages,
      images(5).subarray(0, -1),
      /truncated, received 3935 bytes, expected 3936 for 5 items;/,
    ],
    [
      "a file that is too long",
      testLabels,
      new Uint8Array([...labels(2), 1]),
      /bytes past the end, received 11 bytes, expected 10/,
    ],
    ["a wrong magic number", testLabels, images(2), /wrong magic number, received 0x00000803, expected 0x00000801;/],
    ["a gzip file", testLabels, Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), /received 0x1f8b0800, .* gunzip/],
    [
      "a wrong image size",
      trainImages,
      idx(0x803, [1, 32, 32], new Uint8Array(1024)),
      /received 32 x 32, expected 28 x 28;/,
    ],
    ["no images", trainImages, images(0), /no items/],
    ["fewer labels than images", testLabels, labels(1), /received 1 labels, expected 2 as in .*t10k-images/],
    ["a label that is no digit", testLabels, labels(2, 10), /label 0 is no digit, received 10, expected 0 to 9;/],
  ])("refuses %s in one error that names the file", (_, name, bytes, message) => {
    const dir = folder({ [name]: bytes });
    let error: unknown;
    try {
      loadMnist(dir);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(DataError);
    expect(String(error)).toContain(`${join(dir, name)}: `);
    expect(String(error)).toMatch(message);
  });
});

describe("command line", () => {
  const parse = (...args: string[]) => {
    let output = "";
    const write = (text: string) => void (output += text);
    const program = command().exitOverride().configureOutput({ writeOut: write, writeErr: write });
    try {
      return { ...parseArguments(args, program) };
    } catch {
      return output;
    }
  };

  it("has defaults for everything that needs one", () => {
    expect(parse()).toEqual({
      model: "mlp",
      epochs: 1,
      batch: 64,
      lr: 2e-3,
      seed: 0,
      out: "out/mnist",
    });
  });

  it("reads every option, also after the dashes that pnpm hands on", () => {
    const args = "--epochs 2 --batch 128 --lr 1e-3 --seed 7 --adapter lavapipe --data d --out o".split(" ");
    const options = {
      model: "mlp",
      epochs: 2,
      batch: 128,
      lr: 1e-3,
      seed: 7,
      adapter: "lavapipe",
      data: "d",
      out: "o",
    };
    expect(parse(...args)).toEqual(options);
    expect(parse("--", ...args)).toEqual(options);
  });

  it.each([
    [["--lr", "NaN"], /option '--lr <rate>' argument 'NaN' is invalid. expected a finite number above 0/],
    [["--lr", "-1"], /'-1' is invalid/],
    [["--epochs", "0"], /option '--epochs <count>' argument '0' is invalid. expected a whole number of at least 1/],
    [["--batch", "1.5"], /expected a whole number/],
    [["--seed", "x"], /expected a whole number of at least 0/],
    [["--adapter", "voodoo"], /argument 'voodoo' is invalid. Allowed choices are webgpu, wasm, swiftshader, lavapipe/],
    [["--nope"], /unknown option '--nope'/],
    [["extra"], /too many arguments/],
    [["--data"], /argument missing/],
    [["--help"], /--epochs[^]*--batch[^]*--lr[^]*--seed[^]*--adapter[^]*--data[^]*--out/],
  ])("answers %j", (args, message) => {
    expect(parse(...args)).toMatch(message);
  });
});

/** Dawn tells on lavapipe which limits it lowered; that is not the program's doing. */
function withoutDawn(text: string): string {
  return text.replaceAll(/^Warning: maxDynamic.*\n/gm, "");
}

describe("the program", () => {
  const main = fileURLToPath(new URL("../../examples/mnist/src/main.ts", import.meta.url));

  /** Runs the example as `pnpm demo` does. */
  function demo(...args: string[]) {
    const flags = [
      "--import",
      "tsx",
      "--conditions=@jnx/source",
      main,
      "--adapter",
      process.env["JNX_ADAPTER"] ?? "swiftshader",
    ];
    return spawnSync(process.execPath, [...flags, ...args], {
      encoding: "utf8",
    });
  }

  it("trains, reports, saves, loads and classifies", () => {
    const out = join(mkdtempSync(join(scratch, "run-")), "mnist");
    const data = folder({
      "train-images-idx3-ubyte": images(40),
      "train-labels-idx1-ubyte": labels(40),
    });
    const { status, stdout, stderr } = demo("--data", data, "--out", out, "--batch", "8");
    expect(withoutDawn(stderr)).toBe("");
    expect(status).toBe(0);
    expect(stdout).toContain("epoch 1/1 100% | loss");
    expect(stdout).toContain("test accuracy 100.00%"); // every image is a 3
    expect(stdout).toContain("it is a 3");
    expect(readdirSync(out).sort()).toEqual(["loss.svg", "metrics.json", "model.safetensors"]);
    const metrics: unknown = JSON.parse(readFileSync(join(out, "metrics.json"), "utf8"));
    expect(metrics).toEqual({
      adapter: expect.any(String),
      testAccuracy: 1,
      trainSeconds: expect.any(Number),
      stepsPerSecond: expect.any(Number),
      dispatchesPerStep: expect.any(Number),
      pipelines: expect.any(Number),
      finalLoss: expect.any(Number),
    });
    const { tensors } = parseSafetensors(readFileSync(join(out, "model.safetensors")));
    expect([...tensors.values()].map(({ shape }) => shape)).toHaveLength(6);
  });

  it.each([
    [
      "a truncated data file",
      ["--data", folder({ "t10k-labels-idx1-ubyte": labels(2).subarray(0, 9) })],
      /t10k-labels-idx1-ubyte: truncated/,
    ],
    [
      "a batch larger than the data",
      ["--data", folder()],
      /--batch: larger than the data, received 64, expected at most 5;/,
    ],
    ["a learning rate that is no number", ["--lr", "nan"], /'--lr <rate>' argument 'nan' is invalid/],
  ])("ends with exit code 1 and one line for %s, and writes nothing", (_, args, message) => {
    const out = join(mkdtempSync(join(scratch, "run-")), "mnist");
    const { status, stderr } = demo(...args, "--out", out);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n +at /);
    expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
  });
});

describe("files", () => {
  it("are written whole, over what was there, with nothing left beside them", () => {
    const dir = mkdtempSync(join(scratch, "out-"));
    writeWhole(join(dir, "a.json"), "old");
    writeWhole(join(dir, "a.json"), "new");
    expect(readFileSync(join(dir, "a.json"), "utf8")).toBe("new");
    expect(readdirSync(dir)).toEqual(["a.json"]);
  });

  it("leave the old file and no rest when writing fails", () => {
    const dir = mkdtempSync(join(scratch, "out-"));
    mkdirSync(join(dir, "taken", "inside"), { recursive: true }); // a folder cannot be replaced by a file
    expect(() => writeWhole(join(dir, "taken"), "text")).toThrow(
      /taken: cannot be written, received .*; pass another folder/,
    );
    expect(readdirSync(dir)).toEqual(["taken"]);
  });

  it("fail early when their folder cannot be made", () => {
    const dir = mkdtempSync(join(scratch, "out-"));
    writeFileSync(join(dir, "file"), "");
    expect(() => makeFolder(join(dir, "file", "deeper"))).toThrow(/deeper: cannot be written, .*--out/);
    makeFolder(join(dir, "new", "deeper"));
    expect(existsSync(join(dir, "new", "deeper"))).toBe(true);
  });
});

describe("progress", () => {
  /** A stream that keeps what it is told. */
  function stream(isTTY: boolean) {
    const written: string[] = [];
    const write = (text: string) => written.push(text) > 0;
    const terminal = {
      isTTY,
      columns: 100,
      write,
      on: () => terminal,
      cursorTo: () => true,
      moveCursor: () => true,
      clearLine: () => true,
    };
    return { written, terminal: terminal as unknown as NodeJS.WriteStream }; // as much of a stream as a bar touches
  }

  it("prints a line every tenth when the output is no terminal", () => {
    const { written, terminal } = stream(false);
    const progress = new Progress("epoch 1/1", 937, 64, terminal);
    for (let done = 1; done <= 937; done += 10) progress.update(done, { loss: 0.5, accuracy: 0.875 });
    progress.update(937, { loss: 0.25, accuracy: 1 });
    progress.stop();
    expect(written).toHaveLength(10);
    expect(written[0]).toMatch(/^epoch 1\/1 {2}10% \| loss 0\.500 \| accuracy 87\.5% \| \d+ images\/s \| \d+s left\n$/);
    expect(written[9]).toMatch(/^epoch 1\/1 100% \| loss 0\.250 \| accuracy 100\.0% \| \d+ images\/s \| 0s left\n$/);
  });

  it("works with fewer steps than tenths", () => {
    const { written, terminal } = stream(false);
    const progress = new Progress("epoch 1/1", 3, 8, terminal);
    for (let done = 1; done <= 3; done++) progress.update(done, { loss: 1, accuracy: 0 });
    expect(written.map((line) => line.slice(10, 14))).toEqual([" 33%", " 66%", "100%"]);
  });

  it("draws a bar on a terminal", () => {
    const { written, terminal } = stream(true);
    const progress = new Progress("epoch 1/1", 4, 8, terminal);
    progress.update(4, { loss: 0.125, accuracy: 0.5 });
    progress.stop();
    expect(written.join("")).toMatch(/epoch 1\/1 █{24} 100% \| loss 0\.125 \| accuracy 50\.0% \|/);
  });

  it("tells images per second and the time left", () => {
    const clock = vi.spyOn(performance, "now").mockReturnValue(1000);
    const progress = new Progress("epoch 1/1", 400, 64, stream(false).terminal);
    clock.mockRestore();
    expect(progress.describe(100, { loss: 1, accuracy: 0 }, 31_000)).toBe(
      "loss 1.000 | accuracy 0.0% | 213 images/s | 1m30s left",
    );
  });
});

describe("report", () => {
  it("draws the loss curve as SVG", async () => {
    const points = Array.from({ length: 30 }, (_, i) => ({
      step: 10 * i,
      loss: 2 * 0.9 ** i,
    }));
    const svg = await lossCurve(points, "a title");
    expect(svg).toMatch(/^<svg [^]*<\/svg>$/);
    expect(svg).toContain("a title");
    expect(svg).toContain("cross entropy");
    expect(svg).not.toContain("NaN");
  });

  it("counts the confusion matrix", () => {
    const counts = confusion([1, 1, 2, 9], [1, 7, 2, 9]);
    expect([counts[1]?.[1], counts[1]?.[7], counts[2]?.[2], counts[9]?.[9]]).toEqual([1, 1, 1, 1]);
    expect(counts.flat().reduce((sum, count) => sum + count, 0)).toBe(4);
  });

  it("fits the confusion matrix into 80 columns", () => {
    const lines = confusionTable(confusion([1, 1, 2], [1, 7, 2]), false).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines).toHaveLength(14);
    expect(lines[4]).toMatch(/1│ +·│ +1│.*1│ +·│ +·│ +50\.0%│$/);
    expect(confusionTable(confusion([1], [1]), true)).toContain("\u001b[32m");
  });

  it("draws ten digits with half blocks and what the network says of them", () => {
    const image = new Uint8Array(pixels);
    image.fill(255, 0, 28 * 2); // a bright bar: the upper half of the first line
    const guess = { image, label: 7, predicted: 7 };
    const lines = drawDigits([...Array.from({ length: 9 }, () => guess), { ...guess, predicted: 2 }], false).split(
      "\n",
    );
    expect(lines[0]).toBe(Array.from({ length: 5 }, () => "▀".repeat(14)).join("  "));
    expect(lines[7]).toContain("it is a 7");
    expect(lines.join("\n")).toContain("2? it is 7");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(drawDigits([guess], true)).toContain("\u001b[38;2;255;255;255;48;2;0;0;0m▀");
  });
});
