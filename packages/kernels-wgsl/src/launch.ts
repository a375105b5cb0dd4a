/** WebGPU's default limit on workgroups in one dimension of a dispatch. */
export const MAX_GROUPS_PER_DIMENSION = 65535;

/**
 * a / b rounded up, for whole a >= 0 and b > 0.
 * @example ceilDiv(7, 4); // 2
 */
export function ceilDiv(a: number, b: number): number {
  return Math.ceil(a / b);
}

/**
 * The grid `[x, y, 1]` that holds at least `groups` workgroups with no dimension over `limit`.
 *
 * Up to the limit it is `[groups, 1, 1]`. Above, it is as square as can be, so that fewer than x groups are
 * surplus. A kernel recovers its group as `wid.x + wid.y * num_workgroups.x` and must do nothing when that is
 * past the end: surplus groups run too. A third dimension is not needed: `limit` squared is all that a u32 counts.
 *
 * @throws Error when `groups` is not a whole number from 0 to `limit` squared.
 * @example
 * foldGrid(100); // [100, 1, 1]
 * foldGrid(65536); // [256, 256, 1]
 */
export function foldGrid(groups: number, limit: number = MAX_GROUPS_PER_DIMENSION): readonly [number, number, number] {
  if (!Number.isInteger(groups) || groups < 0) {
    throw new Error(`foldGrid: the number of workgroups must be a whole number, got ${groups}`);
  }
  if (groups > limit * limit) {
    throw new Error(
      `foldGrid: ${groups} workgroups exceed ${limit} x ${limit}; give each more work or split the launch`,
    );
  }
  if (groups <= limit) return [groups, 1, 1];
  const x = Math.ceil(Math.sqrt(groups));
  return [x, ceilDiv(groups, x), 1];
}

/**
 * The sides [x, y] of a workgroup of `group` invocations, one a tile, for so many tiles down and across: without idle lanes
 * where there are few, and 8 wide otherwise. Each shape is a text of its own, so there are no more than it takes.
 */
export function groupShape(tilesDown: number, tilesAcross: number, group: number): readonly [number, number] {
  if (tilesAcross === 1) return [1, group];
  if (tilesAcross <= 4) return [2, group / 2];
  if (tilesDown <= 2) return [group / tilesDown, tilesDown];
  return [8, group / 8];
}
