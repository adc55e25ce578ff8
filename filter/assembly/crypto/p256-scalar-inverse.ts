/** Inversion modulo n, the order of P-256, of PUBLIC numbers: the division steps of Bernstein and Yang ("Fast
 *  constant-time gcd computation and modular inversion", 2019, §8). TIMING: VARIABLE, for signature verification only;
 *  about 19 matrices, as long as 40 multiplications modulo n. Allocates nothing.
 *
 *  f = n and g = a shrink, by steps that look at their lowest bits and at a counter only, until g = 0 and f = ±1, while
 *  f = d·a and g = e·a modulo n (up to the factor R). The lowest limbs decide 29 steps, which make a matrix
 *  (u v; q r) / 2^29 with |u| + |v| and |q| + |r| at most 2^29; that is then applied to the whole of f and g and, modulo
 *  n, of d and e. 741 steps suffice for 256 bits (theorem 11.2). */
import { LIMBS_BYTES, LIMB_MASK } from "./p256-limbs";
import { N, SCALAR_BYTES } from "./p256-scalar";

const STEPS: i32 = 29;
/** 1/n modulo 2^29. */
const N_INVERSE: i64 = 0x11ff43b1;
/** R = 2^261 modulo n. */
const R_ONE: usize = memory.data<i32>([
  0x139b55e0, 0x6353d03, 0x30bd862, 0x154963a, 0x8632, 0x0, 0x1f800000, 0x3ffffff, 0x0,
]);

/** Limbs 0 up to the last but one in 0..2^29-1, the last one signed. */
const F: usize = memory.data(36);
const G: usize = memory.data(36);
const D: usize = memory.data(36);
const E: usize = memory.data(36);
/** u + v·2^32 and q + r·2^32. */
const MATRIX: usize = memory.data(16);

/** d = R / a modulo n, in 0..n-1, so that scalarMul(x, y, d) makes x = y / a; a in 1..n-1. */
export function scalarInvertVartime(d: usize, a: usize): void {
  memory.copy(F, N, SCALAR_BYTES);
  memory.copy(G, a, SCALAR_BYTES);
  memory.fill(D, 0, SCALAR_BYTES);
  memory.copy(E, R_ONE, SCALAR_BYTES);
  let size = LIMBS_BYTES;
  for (let eta: i32 = -1; !isZero(G, size);) {
    eta = divisionSteps(eta, load<i32>(F), load<i32>(G));
    const uv = load<i64>(MATRIX, 0);
    const qr = load<i64>(MATRIX, 8);
    const u = <i64>(<i32>uv);
    const q = <i64>(<i32>qr);
    transform(u, (uv - u) >> 32, q, (qr - q) >> 32, size);
    transformModN(u, (uv - u) >> 32, q, (qr - q) >> 32);
    size = shortened(size);
  }
  toRange(d, load<i32>(F + size - 4) >> 31);
}

/** Writes the matrix of the next 29 steps, which the low 29 bits of f (odd) and g decide. η is -δ; returns the next.
 *  Steps are taken in runs: zeros of g are shifted out at once, and while η >= 0 a multiple of f clears bits of g. */
function divisionSteps(eta: i32, f: i32, g: i32): i32 {
  let uv: i64 = 1;
  let qr: i64 = 1 << 32;
  let left = STEPS;
  while (true) {
    const zeros = ctz(g | (-1 << left));
    g >>= zeros;
    uv <<= <i64>zeros;
    eta -= zeros;
    left -= zeros;
    if (left == 0) break;
    if (eta < 0) {
      eta = -eta;
      const oldF = f;
      f = g;
      g = -oldF;
      const oldUv = uv;
      uv = qr;
      qr = -oldUv;
    }
    // f·(2 - f²) = 1/f modulo 2^6.
    const bits = min(min(eta + 1, left), 6);
    const w = (f * (f * f - 2) * g) & ((1 << bits) - 1);
    g += f * w;
    qr += uv * <i64>w;
  }
  store<i64>(MATRIX, uv, 0);
  store<i64>(MATRIX, qr, 8);
  return eta;
}

/** (f, g) = (u·f + v·g, q·f + r·g) / 2^29, exactly. */
function transform(u: i64, v: i64, q: i64, r: i64, size: usize): void {
  let f = <i64>load<i32>(F);
  let g = <i64>load<i32>(G);
  let cf = (u * f + v * g) >> 29;
  let cg = (q * f + r * g) >> 29;
  for (let i: usize = 4; i < size; i += 4) {
    f = <i64>load<i32>(F + i);
    g = <i64>load<i32>(G + i);
    cf += u * f + v * g;
    cg += q * f + r * g;
    store<i32>(F + i - 4, <i32>(cf & LIMB_MASK));
    store<i32>(G + i - 4, <i32>(cg & LIMB_MASK));
    cf >>= 29;
    cg >>= 29;
  }
  store<i32>(F + size - 4, <i32>cf);
  store<i32>(G + size - 4, <i32>cg);
}

/** (d, e) = (u·d + v·e, q·d + r·e) / 2^29 modulo n. Both are in -2n..n, before and after: a negative one is first
 *  replaced by itself plus n, then the multiple of n below 2^29 is subtracted that clears the low limb. */
function transformModN(u: i64, v: i64, q: i64, r: i64): void {
  const dNegative = <i64>(load<i32>(D, 32) >> 31);
  const eNegative = <i64>(load<i32>(E, 32) >> 31);
  let d = <i64>load<i32>(D);
  let e = <i64>load<i32>(E);
  let cd = u * d + v * e;
  let ce = q * d + r * e;
  let md = (u & dNegative) + (v & eNegative);
  let me = (q & dNegative) + (r & eNegative);
  md -= (N_INVERSE * cd + md) & LIMB_MASK;
  me -= (N_INVERSE * ce + me) & LIMB_MASK;
  const n = <i64>load<i32>(N);
  cd = (cd + md * n) >> 29;
  ce = (ce + me * n) >> 29;
  for (let i: usize = 4; i < LIMBS_BYTES; i += 4) {
    d = <i64>load<i32>(D + i);
    e = <i64>load<i32>(E + i);
    const n = <i64>load<i32>(N + i);
    cd += u * d + v * e + md * n;
    ce += q * d + r * e + me * n;
    store<i32>(D + i - 4, <i32>(cd & LIMB_MASK));
    store<i32>(E + i - 4, <i32>(ce & LIMB_MASK));
    cd >>= 29;
    ce >>= 29;
  }
  store<i32>(D, <i32>cd, 32);
  store<i32>(E, <i32>ce, 32);
}

function isZero(a: usize, size: usize): bool {
  let bits: i32 = 0;
  for (let i: usize = 0; i < size; i += 4) bits |= load<i32>(a + i);
  return bits == 0;
}

/** The size without the top limbs of f and g when they are only signs, which then move to the limbs below. */
function shortened(size: usize): usize {
  const f = load<i32>(F + size - 4);
  const g = load<i32>(G + size - 4);
  if (size == 4 || f >> 31 != f || g >> 31 != g) return size;
  store<i32>(F + size - 8, load<i32>(F + size - 8) | (f << 29));
  store<i32>(G + size - 8, load<i32>(G + size - 8) | (g << 29));
  return size - 4;
}

/** d = D, or -D where `negate` is -1, in 0..n-1; D in -2n..n. */
function toRange(d: usize, negate: i32): void {
  const plus = load<i32>(D, 32) >> 31;
  addMultiple(D, plus, negate);
  addMultiple(D, load<i32>(D, 32) >> 31, 0);
  memory.copy(d, D, SCALAR_BYTES);
}

/** a = ±(a + n) or ±a: masks of 0 or -1. */
function addMultiple(a: usize, add: i32, negate: i32): void {
  let t: i32 = 0;
  for (let i: usize = 0; i < LIMBS_BYTES; i += 4) {
    const limb = load<i32>(a + i) + (load<i32>(N + i) & add);
    t = (t >> 29) + ((limb ^ negate) - negate);
    store<i32>(a + i, i == 32 ? t : t & (<i32>LIMB_MASK));
  }
}
