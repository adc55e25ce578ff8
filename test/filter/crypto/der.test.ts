import { expect, test } from "vitest";
import { signatureFromDer } from "../../conformance/der.ts";
import { CryptoModule } from "./module.ts";
import { bytes32, edges, N, random32, SIZE } from "./numbers.ts";

const module = new CryptoModule();
const hex = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits.replaceAll(" ", ""), "hex"));

test("every pair of numbers has one encoding, and comes back from it", () => {
  const numbers = [...edges(SIZE), 0x7fn, 0x80n, 0xffn, 0x100n, N, random32()];
  for (const [i, r] of numbers.entries()) {
    const signature = Uint8Array.from([...bytes32(r), ...bytes32(numbers[(7 * i + 3) % numbers.length]!)]);
    const der = module.derFromP1363(signature);
    expect(module.p1363FromDer(der)).toEqual(signature);
    expect(signatureFromDer(der)).toEqual(signature);
  }
});

test.each([
  ["nothing", ""],
  ["no numbers", "3000"],
  ["one number", "3003 020101"],
  ["three numbers", "3009 020101 020101 020101"],
  ["a set", "3106 020101 020101"],
  ["a byte after it", "3006 020101 020101 00"],
  ["a byte inside it", "3007 020101 020101 00"],
  ["a length that is too long", "3007 020101 020101"],
  ["a length that is too short", "3005 020101 020101"],
  ["a length in two bytes", "308106 020101 020101"],
  ["a number's length in two bytes", "3007 02810101 020101"],
  ["an indefinite length", "3080 020101 020101 0000"],
  ["an empty number", "3005 0200 020101"],
  ["a negative number", "3006 0201ff 020101"],
  ["a needless zero", "3007 02020001 020101"],
  ["two zeros before", "3008 0203000080 020101"],
  ["a number of 33 bytes", `3026 0221 01${"00".repeat(32)} 020101`],
  ["a number of 34 bytes", `3027 0222 00ff${"00".repeat(32)} 020101`],
  ["a number beyond the end", "3006 020101 020201"],
  ["a first number beyond the end", "3006 022101 020101"],
  ["another type", "3006 030101 020101"],
  ["another type second", "3006 020101 040101"],
])("%s is refused", (_, digits) => {
  expect(module.p1363FromDer(hex(digits))).toBe(undefined);
  expect(signatureFromDer(hex(digits))).toBe(undefined);
});
