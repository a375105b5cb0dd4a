/** Programs of abstract numbers. The numbers are those that Dawn gave on SwiftShader; it refused each of REFUSED. */

export function program(body: string, helpers = ""): string {
  return `@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
${helpers}
@compute @workgroup_size(1) fn main() {
${body}
}`;
}

const PUT = `fn put(v: vec4f) { y[0] = v.x; y[1] = v.y; y[2] = v.z; y[3] = v.w; }`;

interface Given {
  /** What `main` does. */
  readonly body: string;
  /** What y begins with then. */
  readonly y: readonly number[];
  /** What stands before `main`. */
  readonly helpers?: string;
}

interface Refused {
  readonly rule: string;
  readonly body: string;
  /** In the line of `body`. */
  readonly column: number;
  readonly helpers?: string;
}

export const GIVEN: readonly Given[] = [
  { body: "let v: vec4f = vec4(1, 2, 3, 4); put(v);", y: [1, 2, 3, 4], helpers: PUT },
  { body: "put(vec4(1, 2.5, -3, 4));", y: [1, 2.5, -3, 4], helpers: PUT },
  { body: "let v = vec2(1, 2.5); y[0] = v.x; y[1] = v.y;", y: [1, 2.5] },
  { body: "let v = vec2(7, 2); y[0] = f32(v.x / v.y);", y: [3] },
  { body: "let v: vec2f = vec2(7, 2); y[0] = v.x / v.y;", y: [3.5] },
  { body: "let v: vec2u = vec2(4294967295, 2); y[0] = f32(v.x / v.y);", y: [2147483648] },
  { body: "var v: vec3f = vec3(7); v += vec3(1, 2, 3); y[0] = v.x; y[1] = v.y; y[2] = v.z;", y: [8, 9, 10] },
  {
    body: "const c = vec3(1, vec2(2, 3)); let v: vec3f = c; let w: vec3u = c; y[0] = v.z; y[1] = f32(w.y) / 4.0;",
    y: [3, 0.5],
  },
  { body: "let v: vec4f = vec4(vec2(1, 2), vec2(0.5, 4)); put(v);", y: [1, 2, 0.5, 4], helpers: PUT },
  { body: "let v: vec4f = vec4(vec4(1, 2, 3, 4)); put(v);", y: [1, 2, 3, 4], helpers: PUT },
  { body: "put(vec4f(vec3(1, 2, 3), 4));", y: [1, 2, 3, 4], helpers: PUT },
  { body: "put(vec4f(vec4(1, 2, 3, 4)));", y: [1, 2, 3, 4], helpers: PUT },
  { body: "put(vec4(x[0], 1, vec2(2, 3)));", y: [3, 1, 2, 3], helpers: PUT },
  { body: "put(vec4(vec2(1, 2), x[0], 4));", y: [1, 2, 3, 4], helpers: PUT },
  { body: "let v = vec2(u32(x[0]), 4294967295); y[0] = f32(v.y >> 28u);", y: [15] },
  { body: "put(vec4(1, 2, 3, 4) * x[0]);", y: [3, 6, 9, 12], helpers: PUT },
  { body: "put(x[0] + vec4(1, 2, 3, 4));", y: [4, 5, 6, 7], helpers: PUT },
  { body: "put(vec4f(x[0]) - vec4(1, 2, 3, 4));", y: [2, 1, 0, -1], helpers: PUT },
  { body: "put(vec4(1, 2, 3, 4) / 8.0);", y: [0.125, 0.25, 0.375, 0.5], helpers: PUT },
  { body: "put(vec4(7, -7, 9, -9) / 2);", y: [3, -3, 4, -4], helpers: PUT },
  { body: "put(2 - vec4(7.5, -7, 9, -9));", y: [-5.5, 9, -7, 11], helpers: PUT },
  { body: "put(-vec4(1, 2.5, 3, 4) % vec4(2, 2, 2, 3));", y: [-1, -0.5, -1, -1], helpers: PUT },
  { body: "let v: vec2u = vec2(6, 3) | vec2(1, 8); y[0] = f32(v.x); y[1] = f32(v.y);", y: [7, 11] },
  { body: "let v: vec2f = vec2(6, 3) << vec2(2, 33); y[0] = v.x; y[1] = v.y;", y: [24, 25769803776] },
  { body: "let v: vec2i = ~vec2(6, -3); y[0] = f32(v.x); y[1] = f32(v.y);", y: [-7, 2] },
  {
    body: "let b = vec3(1, 2, 3) < vec3(2, 2, 2.5); let v = select(vec3f(), vec3f(1.0), b); y[0] = v.x; y[1] = v.y; y[2] = v.z;",
    y: [1],
  },
  {
    body: "let b = vec4(1, 2, 3, 4) == vec4(1, 3, 3, 5); put(select(vec4f(), vec4f(1.0), b));",
    y: [1, 0, 1],
    helpers: PUT,
  },
  {
    body: "const c = vec4(1, 2, 3, 4); let v: vec2f = c.wy; y[0] = v.x / 8; y[1] = c.z / 2; y[2] = c[3] / 8.0; y[3] = c.rgba.b;",
    y: [0.5, 1, 0.5, 3],
  },
  { body: "let a = array(1, 2, 3); y[0] = f32(a[0] / a[1]); y[1] = f32(a[2]);", y: [0, 3] },
  { body: "let a = array(1, 2.5, 3); y[0] = a[0] / 2; y[1] = a[1];", y: [0.5, 2.5] },
  { body: "let a: array<f32, 3> = array(1, 2, 3); y[0] = a[0] / a[1];", y: [0.5] },
  { body: "let a: array<u32, 2> = array(4294967295, 2); y[0] = f32(a[0] / a[1]);", y: [2147483648] },
  { body: "let a = array(1, x[0], 3); y[0] = a[0] / a[1] + a[2];", y: [3.3333332538604736] },
  { body: "let a = array(1, 2u); y[0] = f32(a[0] - a[1]);", y: [4294967296] },
  { body: "let a = array(vec2(1, 2), vec2(3, 4.5)); y[0] = a[0].y / 4; y[1] = a[1].y;", y: [0.5, 4.5] },
  { body: "let a = array(vec2(1, 2), vec2f(3, 4)); y[0] = a[0].y / 4; y[1] = a[1].y;", y: [0.5, 4] },
  {
    body: "var a: array<array<f32, 2>, 2> = array(array(1, 2), array(3, 4)); a[1][0] /= 8; y[0] = a[1][0]; y[1] = a[0][1];",
    y: [0.375, 2],
  },
  { body: "let a = array(array(1, 2), array(3u, 4)); y[0] = f32(a[0][0] - a[1][1]);", y: [4294967296] },
  { body: "let a = array<vec2f, 2>(vec2(1, 2), vec2(3, 4)); y[0] = a[0].y / a[1].x;", y: [0.6666666865348816] },
  {
    body: "var a: array<f32, N>; a[3] = 7; y[0] = a[3]; y[1] = T[2] / 16.0;",
    y: [7, 0.5],
    helpers: "const T = array(2, 4, 8); const N = T[1];",
  },
  {
    body: "let s = S(vec2(1, 2), 3, array(4, 5)); y[0] = s.a.y; y[1] = s.b; y[2] = f32(s.c[1]);",
    y: [2, 3, 5],
    helpers: "struct S { a: vec2f, b: f32, c: array<u32, 2> }",
  },
  { body: "put(g());", y: [1, 2, 3, 4], helpers: `${PUT} fn g() -> vec4f { return vec4(1, 2, 3, 4); }` },
  {
    body: "y[0] = C.y; y[1] = f32(D.x) / 2.0;",
    y: [2, 2.5],
    helpers: "const C: vec2f = vec2(1, 2); const D = vec2(5, 6);",
  },
  { body: "let v = vec2u(vec2(1.75, -2)); y[0] = f32(v.x); y[1] = f32(v.y);", y: [1] },
  { body: "let v = vec2i(vec2(1.75, 3e9)); y[0] = f32(v.x); y[1] = f32(v.y);", y: [1, 2147483648] },
  { body: "let b = vec2<bool>(vec2(0, 0.5)); y[0] = select(0.0, 1.0, b.x); y[1] = select(0.0, 1.0, b.y);", y: [0, 1] },
  { body: "let v: vec3f = vec3(); let w = vec2(); y[0] = v.z + f32(w.x) + 1;", y: [1] },
  { body: "y[0] = dot(vec2(1, 2), vec2(3, 4.5)) + f32(dot(vec2(1, 2), vec2(3, 4)));", y: [23] },
  { body: "let v = max(vec2(1, 2), vec2f(x[0], 0)); y[0] = v.x; y[1] = v.y; y[2] = sqrt(vec2(4, 9)).y;", y: [3, 2, 3] },
  { body: "let v = select(vec2(1, 2), vec2(3, 4.5), x[0] > 1); y[0] = v.x; y[1] = v.y;", y: [3, 4.5] },
  {
    body: "let a: f32 = 7; let b: u32 = 7; let c = f32(7); let d = u32(7.9); y[0] = a / 2 + f32(b / 2) + c / 2 + f32(d);",
    y: [17],
  },
  { body: "let v: f32 = max(1, 2); y[0] = v / 4.0;", y: [0.5] },
  { body: "let v: u32 = min(4294967295, 4294967294); y[0] = f32(v >> 28u);", y: [15] },
  { body: "put(max(vec4(1, 5, 2, 7), vec4(3)));", y: [3, 5, 3, 7], helpers: PUT },
  { body: "put(vec4(min(1, 2.5), abs(-3), sign(-4), clamp(9, 0, 5)));", y: [1, 3, -1, 5], helpers: PUT },
  { body: "let v: vec2f = abs(vec2(-1, 2)); y[0] = v.x / 2.0; y[1] = v.y;", y: [0.5, 2] },
  { body: "let v: u32 = abs(-3); y[0] = f32(v);", y: [3] },
  { body: "y[0] = f32(abs(-2147483648));", y: [2147483648] },
  { body: "y[0] = f32(abs(-7) / 2); y[1] = abs(-7.0) / 2;", y: [3, 3.5] },
  { body: "let v: vec3f = clamp(vec3(1, 5, 9), vec3(2), vec3(6)); y[0] = v.x; y[1] = v.z;", y: [2, 6] },
  { body: "let v: f32 = dot(vec2(1, 2), vec2(3, 4)); y[0] = v / 2.0;", y: [5.5] },
  { body: "let v: f32 = select(1, 2, true); y[0] = v / 4.0;", y: [0.5] },
  { body: "y[0] = f32(select(1, 2.5, false) / 2);", y: [0.5] },
  { body: "let v: vec2f = select(vec2(1, 2), vec2(3, 4), vec2(true, false)); y[0] = v.x; y[1] = v.y;", y: [3, 2] },
];

export const REFUSED: readonly Refused[] = [
  { rule: "type", body: "let v: vec2u = vec2(1, -2);", column: 1 },
  { rule: "type", body: "let v: vec2u = vec2(1, 2.5);", column: 1 },
  { rule: "type", body: "let v: vec2i = vec2(1, 2147483648);", column: 1 },
  { rule: "type", body: "let v = vec2(1, 2147483648);", column: 1 },
  { rule: "type", body: "let v: vec2f = vec2(1, 1e39);", column: 1 },
  { rule: "type", body: "let v: vec3f = vec2(1, 2);", column: 1 },
  { rule: "type", body: "let v: vec4f = vec4(1, 2, 3);", column: 16 },
  { rule: "type", body: "let v = vec2(1, 2, 3);", column: 9 },
  { rule: "type", body: "let v = vec2(1.5, u32(x[0]));", column: 9 },
  { rule: "type", body: "let v = vec2(-1, u32(x[0]));", column: 9 },
  { rule: "type", body: "let v = vec2(1i, 2u);", column: 9 },
  { rule: "type", body: "let v = vec2(true, 1);", column: 9 },
  { rule: "type", body: "let v = vec2(array(1, 2));", column: 9 },
  { rule: "type", body: "let v = vec2u(vec2(1, -2));", column: 9 },
  { rule: "type", body: "let v = vec3f(vec2i(1, 2), 3.0);", column: 9 },
  { rule: "type", body: "let a = array(1, vec2(1, 2));", column: 9 },
  { rule: "type", body: "let a = array(1u, 2i);", column: 9 },
  { rule: "type", body: "let a = array(1.5, 2i);", column: 9 },
  { rule: "type", body: "let a: array<f32, 2> = array(1, 2, 3);", column: 1 },
  { rule: "type", body: "let a: array<u32, 2> = array(1, -2);", column: 1 },
  { rule: "type", body: "let a = array();", column: 9 },
  { rule: "type", body: "let v = vec2(1, 2) + vec3(1, 2, 3);", column: 20 },
  { rule: "type", body: "let v = vec2(1, 2) & 3;", column: 20 },
  { rule: "type", body: "let v = vec2(1, 2) < 3;", column: 20 },
  { rule: "type", body: "let v = vec2(1.5, 2) & vec2(1, 2);", column: 22 },
  { rule: "type", body: "let v = !vec2(1, 2);", column: 9 },
  { rule: "type", body: "let v = array(1, 2) + array(1, 2);", column: 21 },
  { rule: "constant", body: "let v = vec2(1, 2) / vec2(1, 0);", column: 20 },
  { rule: "constant", body: "let v = vec2(1.5, 2) / vec2(1, 0);", column: 22 },
  { rule: "type", body: "const c = vec2(1, 2); y[0] = c[2];", column: 31 },
  { rule: "name", body: "const c = vec2(1, 2); y[0] = c.z;", column: 31 },
  { rule: "type", body: "y[0] = vec2(1, 2);", column: 1 },
  { rule: "type", body: "let s = S(1.5);", column: 9, helpers: "struct S { a: u32 }" },
  { rule: "type", body: "let v: f32 = select(1, 2, x[0] > 0.0); y[0] = v;", column: 1 },
  { rule: "type", body: "let v: i32 = max(1, 2.5); y[0] = f32(v);", column: 1 },
  { rule: "constant", body: "let v: f32 = clamp(1, 3, 2); y[0] = v;", column: 14 },
  { rule: "type", body: "let v: f32 = max(vec2(1, 2), 1).x; y[0] = v;", column: 14 },
  { rule: "type", body: "let v: f32 = max(1); y[0] = v;", column: 14 },
  { rule: "type", body: "let v: u32 = min(-1, 2); y[0] = f32(v);", column: 1 },
  { rule: "type", body: "y[0] = f32(dot(vec2(1, 2), vec3(3)));", column: 12 },
  { rule: "type", body: "let v: f32 = select(1, vec2(2), true).x; y[0] = v;", column: 14 },
];
