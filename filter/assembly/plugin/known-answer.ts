// The signature of RFC 6979 A.2.5 (P-256, SHA-256, message "sample"), and what must not pass for it.
import { View } from "../bytes/view";

const X = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
const Y = "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
const R = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
const HIGH_S = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
/** n - HIGH_S: as valid, and in its DER form one byte shorter. */
const LOW_S = "0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9";

export function publicKey(): View {
  return hex("04" + X + Y);
}

export function message(): View {
  return View.utf8("sample");
}

export function wrongMessage(): View {
  return View.utf8("samplf");
}

export function signature(): View {
  return hex(R + HIGH_S);
}

export function otherSignature(): View {
  return hex(R + LOW_S);
}

/** The same with r and s swapped. */
export function wrongSignature(): View {
  return hex(HIGH_S + R);
}

export function hex(text: string): View {
  const bytes = new Uint8Array(text.length >> 1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = <u8>((digit(text, 2 * i) << 4) | digit(text, 2 * i + 1));
  return View.of(bytes);
}

function digit(text: string, at: i32): i32 {
  const code = text.charCodeAt(at);
  return code <= 0x39 ? code - 0x30 : code - 0x57;
}
