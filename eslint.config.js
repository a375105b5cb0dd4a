import path from "node:path";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

const root = path.resolve(import.meta.dirname);

export default defineConfig(
  globalIgnores(["**/node_modules", "**/dist", "**/out", "**/coverage", "**/*.wgsl.gen.ts"]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: root } },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-restricted-globals": ["error", { name: "Buffer", message: "Uint8Array works in browsers too." }],
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "max-lines": ["error", { max: 400 }],
      "max-lines-per-function": ["error", { max: 50, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // A describe block is one function however many tests it holds; Node-only code may use Node's Buffer.
    files: ["tests/**/*.ts", "scripts/**/*.ts", "benchmarks/**/*.ts", "examples/**/*.ts", "packages/testing/**/*.ts"],
    rules: { "max-lines-per-function": "off", "no-restricted-globals": "off" },
  },
  {
    files: ["scripts/**/*.ts", "benchmarks/**/*.ts", "examples/**/*.ts", "packages/testing/**/*.ts"],
    rules: { "max-lines-per-function": ["error", { max: 50, skipBlankLines: true, skipComments: true }] },
  },
);
