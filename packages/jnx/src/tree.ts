import { tree, treeTools } from "@jnx/tensor";
/** jax.tree. */
export type PathPart = tree.PathPart;
export type TreeDef = tree.TreeDef;
export type TreeNode<T> = tree.TreeNode<T>;
export const { flatten, flattenWithPath, leaves, map, reachableTensors, registerTreeNode, structure, unflatten } = tree;
export const { all, allLeaves, broadcast, keystr, leavesWithPath, mapWithPath, reduce, reduceAssociative, transpose } =
  treeTools;
