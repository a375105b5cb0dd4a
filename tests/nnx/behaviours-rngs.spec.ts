/** Behaviours that Flax's own tests assert of random streams, by the names of those tests. */
import { ones, random, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import "jnx";

useDevice();

async function words(key: Tensor): Promise<number[]> {
  return Array.from(await random.keyData(key).data());
}

const shapeOf = (stream: nnx.RngStream): readonly number[] => random.keyData(stream.key.value).shape.slice(0, -1);

describe("rngs_test", () => {
  it("test_rng_stream: the count goes on, the base key stays, keys differ", async () => {
    const rngs = new nnx.Rngs(0);
    const stream = rngs.stream("default");
    const base = await words(stream.key.value);
    const [first, second] = [await words(rngs.params()), await words(rngs.params())];
    expect(first).not.toEqual(second);
    expect([await stream.count.value.item(), await words(stream.key.value)]).toEqual([2, base]);
  });

  it("test_rng_trace_level_constraints: captured or leaked Rngs throw on use", () => {
    const rngs = new nnx.Rngs(0);
    expect(() => nnx.jit(() => rngs.call())()).toThrow(nnx.TraceContextError);
    let leaked: nnx.Rngs | undefined;
    nnx.jit(() => {
      leaked = new nnx.Rngs(0);
      return leaked.call();
    })();
    expect(() => leaked?.call()).toThrow(nnx.TraceContextError);
  });

  it("test_random_helpers: rngs.normal(shape) is random.normal(rngs.call(), shape)", async () => {
    const [one, two] = [new nnx.Rngs(0), new nnx.Rngs(0)];
    expect(await one.normal([3]).toArray()).toEqual(await random.normal(two.call(), [3]).toArray());
    expect(await one.params.randint([3], 0, 9).toArray()).toEqual(
      await random.randint(two.params(), [3], 0, 9).toArray(),
    );
    expect(await one.lecunNormal()([2, 3]).toArray()).toEqual(
      await nnx.initializers.lecunNormal()(two.call(), [2, 3]).toArray(),
    );
  });

  it("test_split_rngs: in place, and back again", async () => {
    const rngs = new nnx.Rngs({ params: 0, dropout: 1 });
    const base = await words(rngs.params.key.value);
    const backups = nnx.splitRngs(rngs, { splits: 5, only: "params" });
    expect([shapeOf(rngs.params), shapeOf(rngs.dropout), rngs.params.count.shape]).toEqual([[5], [], [5]]);
    expect(await words(rngs.params.key.value)).toEqual(await words(random.split(random.foldIn(random.key(0), 0), 5)));
    expect([...backups]).toHaveLength(1);
    nnx.restoreRngs(backups);
    expect([await words(rngs.params.key.value), await rngs.params.count.value.item()]).toEqual([base, 1]);
  });

  it("test_split_rngs_decorator: split while it runs; then the count is 1 and the key the first", async () => {
    const rngs = new nnx.Rngs(0);
    const seen = nnx.splitRngs((given: nnx.Rngs) => shapeOf(given.stream("default")), { splits: [2, 3] })(rngs);
    expect(seen).toEqual([2, 3]);
    expect(await words(rngs.stream("default").key.value)).toEqual([0, 0]);
    expect(await rngs.stream("default").count.value.item()).toBe(1);
  });

  it("squeeze keeps a single key", () => {
    const rngs = new nnx.Rngs(0);
    nnx.splitRngs(rngs, { splits: 1, squeeze: true });
    expect(shapeOf(rngs.stream("default"))).toEqual([]);
    expect(() => nnx.splitRngs(rngs, { splits: 2, squeeze: true })).toThrow(/squeeze needs splits: 1/);
  });

  it("test_fork_rngs: new keys in place, and back again", async () => {
    const rngs = new nnx.Rngs({ params: 0, dropout: 1 });
    const backups = nnx.forkRngs(rngs, { split: [["params", 4]] });
    expect([shapeOf(rngs.params), shapeOf(rngs.dropout)]).toEqual([[4], []]);
    backups.restore();
    nnx.restoreRngs(nnx.forkRngs(rngs));
    expect(await words(rngs.dropout.key.value)).toEqual([0, 1]);
    expect(await rngs.dropout.count.value.item()).toBe(1);
  });

  it("test_split_mapping_first_matching_filter_wins; what is not taken starts its count anew", async () => {
    const rngs = new nnx.Rngs({ params: 1, dropout: 2, noise: 3 });
    rngs.dropout();
    const split = rngs.split([
      ["params", 5],
      ["dropout", null],
      ["...", [2, 5]],
    ]);
    expect([shapeOf(split.params), shapeOf(split.dropout), shapeOf(split.noise)]).toEqual([[5], [], [2, 5]]);
    expect(await split.dropout.count.value.item()).toBe(0);
    expect(shapeOf(rngs.broadcast(3).params)).toEqual([3]);
    expect([...rngs, rngs.has("params"), rngs.has("carry"), rngs.items().length]).toEqual([
      "params",
      "dropout",
      "noise",
      true,
      false,
      3,
    ]);
  });

  it("test_split_and_fork_same_stream_raises; withRngs copies", async () => {
    const rngs = new nnx.Rngs({ params: 0, dropout: 1 });
    expect(() => nnx.withRngs(rngs, { split: [["params", 2]], fork: "params" })).toThrow(/split and fork/);
    const made = nnx.withRngs(rngs, { split: [["params", 2]], fork: "..." });
    expect([shapeOf(made.params), shapeOf(rngs.params)]).toEqual([[2], []]);
    expect(await words(made.dropout.key.value)).toEqual(await words(random.foldIn(random.key(1), 0)));
    const run = nnx.withRngs((given: nnx.Rngs) => shapeOf(given.params), { split: 7 });
    expect(run(rngs)).toEqual([7]);
  });

  it("test_reseed: a Dropout draws its first mask again", async () => {
    const dropout = new nnx.Dropout(0.5, { rngs: new nnx.Rngs({ dropout: 42 }) });
    const x = ones([20]);
    const first = await dropout.call(x).toArray();
    expect(await dropout.call(x).toArray()).not.toEqual(first);
    nnx.reseed(dropout, { dropout: 42 });
    expect(await dropout.call(x).toArray()).toEqual(first);
    const rngs = new nnx.Rngs({ dropout: 0 }).split(3);
    expect(() => nnx.reseed(rngs, { dropout: 1 })).toThrow(/keys of shape \[3\]/);
    nnx.reseed(rngs, { dropout: 1 }, { policy: "matchShape" });
    expect(shapeOf(rngs.dropout)).toEqual([3]);
    nnx.reseed(rngs, { dropout: 1 }, { policy: (_path, key) => key });
    expect(shapeOf(rngs.dropout)).toEqual([]);
  });

  it("backupKeys keeps keys, not counts", async () => {
    const rngs = new nnx.Rngs(0);
    const backups = nnx.backupKeys(rngs);
    rngs.call();
    nnx.reseed(rngs, { default: 9 });
    nnx.restoreRngs(backups);
    expect(await words(rngs.stream("default").key.value)).toEqual([0, 0]);
  });

  it("test_dropout_internal_rngs: an own stream is Rngs(dropout).fork(), and goes on through jit with one trace", async () => {
    const own = new nnx.Dropout(0.5, { rngs: new nnx.Rngs({ dropout: 0 }) });
    const lent = new nnx.Rngs({ dropout: 0 }).fork();
    const x = ones([8]);
    expect(await own.call(x).toArray()).toEqual(await new nnx.Dropout(0.5).call(x, { rngs: lent }).toArray());
    own.call(x);
    const run = nnx.jit((layer: nnx.Dropout) => layer.call(x));
    run(own);
    run(own);
    expect([run.traces, await own.rngs?.count.value.item()]).toEqual([1, 4]);
  });

  it("test_dropout_arg_override: the argument goes first, and nothing to draw from is an error", async () => {
    const dropout = new nnx.Dropout(0.5, { deterministic: true });
    const x = ones([4]);
    expect(await dropout.call(x).toArray()).toEqual([1, 1, 1, 1]);
    expect(() => dropout.call(x, { deterministic: false })).toThrow(/nothing to draw from/);
    expect(dropout.call(x, { deterministic: false, rngs: random.key(0) }).shape).toEqual([4]);
  });

  it("Rngs.from takes a seed, seeds, or an Rngs as it is", async () => {
    const rngs = new nnx.Rngs(0);
    expect(nnx.Rngs.from(rngs) === rngs).toBe(true);
    expect(await words(nnx.Rngs.from({ params: 3 }).params.key.value)).toEqual([0, 3]);
    expect(await words(nnx.Rngs.from(4).params.key.value)).toEqual([0, 4]);
  });
});
