/** What a carrier, or an owner with the wrong key, can do to a case. Every choice is a number that is taken modulo what is there. */
import fc from "fast-check";
import { encodeBase64Url, tryDecodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { concat, utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import {
  bytesField,
  encodeTag,
  encodeVarint,
  ProtobufReader,
  varintField,
} from "../../xds-proxy/src/bytes/protobuf.ts";
import { digestOf } from "../../xds-proxy/src/crypto/sha256.ts";
import { signingInputOf } from "../../xds-proxy/src/crypto/jws.ts";
import { CLAIM_NAMES } from "../../xds-proxy/src/envelope/claims.ts";
import type { CaseFile } from "../corpus/case.ts";
import { NOW_SEC } from "../corpus/forge.ts";
import { fixedSignature, signingKey } from "../corpus/keys.ts";
import { STRAYS } from "./bases.ts";

export type Mutation = (file: CaseFile) => CaseFile;
type TextEdit = (text: string, file: CaseFile) => string;
type BytesEdit = (bytes: Uint8Array) => Uint8Array;

/** A place of a case that holds a text. */
interface Slot {
  readonly text: string;
  put(text: string): CaseFile;
}

function slotsOf(file: CaseFile): readonly Slot[] {
  const list = (name: "roots" | "envelopes"): readonly Slot[] =>
    file[name].map((text, i) => ({ text, put: (value) => ({ ...file, [name]: file[name].with(i, value) }) }));
  const one = (name: "fresh" | "set"): readonly Slot[] => {
    const text = file[name];
    return text === undefined ? [] : [{ text, put: (value) => ({ ...file, [name]: value }) }];
  };
  return [...list("roots"), ...one("fresh"), ...one("set"), ...list("envelopes")];
}

const pick = <T>(list: readonly T[], i: number): T | undefined => list[i % Math.max(list.length, 1)];
const n = fc.nat({ max: 1_000_000 });

/** Edits one text, chosen by a number. */
function onText(edit: fc.Arbitrary<TextEdit>): fc.Arbitrary<Mutation> {
  return fc.tuple(n, edit).map(([i, change]) => (file) => {
    const slot = pick(slotsOf(file), i);
    return slot ? slot.put(change(slot.text, file)) : file;
  });
}

function onBytes(edit: fc.Arbitrary<BytesEdit>): fc.Arbitrary<Mutation> {
  return onText(
    edit.map((change) => (text) => {
      const bytes = tryDecodeBase64Url(text);
      return bytes ? encodeBase64Url(change(bytes)) : text;
    }),
  );
}

const bitFlip = onBytes(
  n.map((i) => (bytes) => bytes.map((byte, at) => (at === (i >> 3) % bytes.length ? byte ^ (1 << (i & 7)) : byte))),
);
const truncation = onBytes(n.map((i) => (bytes) => bytes.subarray(0, i % (bytes.length + 1))));
const insertion = onBytes(
  fc.tuple(n, fc.uint8Array({ minLength: 1, maxLength: 4 })).map(([i, extra]) => (bytes) => {
    const at = i % (bytes.length + 1);
    return concat(bytes.subarray(0, at), extra, bytes.subarray(at));
  }),
);
const character = onText(
  fc.tuple(n, fc.constantFrom("A", "B", "-", "_", "=", "+", "/", " ", "\n", "é", "")).map(([i, char]) => (text) => {
    const at = i % (text.length + 1);
    return text.slice(0, at) + char + text.slice(at + 1);
  }),
);

/** The fields of a message as they are encoded; undefined when it is not well-formed. */
function fieldsOf(bytes: Uint8Array): readonly { field: number; bytes: Uint8Array; content: Uint8Array }[] | undefined {
  try {
    const reader = new ProtobufReader(bytes);
    const fields = [];
    while (!reader.done) {
      const { field, wireType } = reader.tag();
      if (wireType === 0) fields.push({ field, bytes: varintField(field, reader.varint()), content: new Uint8Array() });
      else {
        const content = reader.lengthDelimited();
        fields.push({ field, bytes: bytesField(field, content), content });
      }
    }
    return fields;
  } catch {
    return undefined;
  }
}

type FieldsEdit = (fields: readonly Uint8Array[]) => readonly Uint8Array[];
const editFields = (bytes: Uint8Array, edit: FieldsEdit): Uint8Array => {
  const fields = fieldsOf(bytes);
  return fields ? concat(...edit(fields.map((field) => field.bytes))) : bytes;
};

const fieldsEdit: fc.Arbitrary<FieldsEdit> = fc.oneof(
  n.map(
    (i): FieldsEdit =>
      (fields) =>
        fields.filter((_, at) => at !== i % fields.length),
  ),
  n.map((i): FieldsEdit => (fields) => [...fields, ...fields.slice(i % fields.length, (i % fields.length) + 1)]),
  n.map((i): FieldsEdit => (fields) => [...fields.slice(i % fields.length), ...fields.slice(0, i % fields.length)]),
  fc
    .tuple(fc.nat({ max: 40 }), fc.nat({ max: 7 }), fc.uint8Array({ maxLength: 6 }))
    .map(([field, wireType, content]): FieldsEdit => (fields) => [
      ...fields,
      concat(encodeTag(field, wireType), encodeVarint(BigInt(content.length)), content),
    ]),
  fc
    .tuple(fc.constantFrom(1, 2, 5, 7, 9), fc.bigInt({ min: -(1n << 63n), max: (1n << 64n) - 1n }))
    .map(([field, value]): FieldsEdit => (fields) => [...fields, varintField(field, value)]),
  fc
    .tuple(fc.constantFrom(1, 2, 3, 5, 16), fc.uint8Array({ maxLength: 6 }))
    .map(([field, content]): FieldsEdit => (fields) => [...fields, bytesField(field, content)]),
);

const messageFields = onBytes(fieldsEdit.map((edit) => (bytes) => editFields(bytes, edit)));

/** Edits the content of fields with this number. */
function within(bytes: Uint8Array, number: number, edit: BytesEdit): Uint8Array {
  const fields = fieldsOf(bytes);
  if (!fields) return bytes;
  return concat(
    ...fields.map(({ field, bytes: whole, content }) => (field === number ? bytesField(field, edit(content)) : whole)),
  );
}
const nestedFields = onBytes(
  fc.tuple(fc.constantFrom(4, 6, 16), fieldsEdit).map(
    ([number, edit]) =>
      (bytes) =>
        within(bytes, number, (content) => editFields(content, edit)),
  ),
);

const NAMES = ["root", "root-2", "cfg", "cfg-2", "cfg-3", "fresh", "fresh-2", "push", "stranger"];
const nameOf = (k: Uint8Array): string =>
  NAMES.find((name) => Buffer.compare(signingKey(name).publicKey.subarray(1), k) === 0) ?? "stranger";

/** Replaces the claims, and signs again: each signer with its own key, or all with the key called `by`. */
function resign(bytes: Uint8Array, edit: BytesEdit, by: string | undefined): Uint8Array {
  const claims = fieldsOf(fieldOf(bytes, 4))?.find(({ field }) => field === 7)?.content ?? new Uint8Array();
  const changed = edit(claims);
  const message = signingInputOf(changed);
  const vapid = (content: Uint8Array): Uint8Array => {
    const name = by ?? nameOf(fieldOf(content, 4));
    const keyed = within(content, 4, (k) => (by === undefined ? k : signingKey(by).publicKey.subarray(1)));
    return within(
      within(keyed, 7, () => changed),
      33,
      () => fixedSignature(name, message),
    );
  };
  return within(within(bytes, 4, vapid), 16, vapid);
}

function fieldOf(bytes: Uint8Array, number: number): Uint8Array {
  return fieldsOf(bytes)?.find(({ field }) => field === number)?.content ?? new Uint8Array();
}

const CLAIMS = [...CLAIM_NAMES, "jti"];
const VALUES: readonly unknown[] = [
  ...[0, 1, 2, 3, -1, 1.5, NOW_SEC, NOW_SEC - 61, NOW_SEC + 61, NOW_SEC + 86_400, 2 ** 53 - 1, 2 ** 53, 1e300],
  ...[
    "",
    "0",
    "1",
    "2",
    "01",
    "9",
    "18446744073709551615",
    "18446744073709551616",
    "mailto:x",
    "cfg",
    "set",
    "fresh",
    "root",
  ],
  ...[
    "push",
    "aes128gcm",
    "team-a",
    "team-b",
    "team-a/allow",
    "team-a/deny",
    "https://team-a.mesh-1.cluster.local",
    "A".repeat(43),
  ],
  ...[null, true, [], {}, undefined],
];

const claimEdit: fc.Arbitrary<BytesEdit> = fc
  .tuple(fc.constantFrom(...CLAIMS), fc.oneof(fc.constantFrom(...VALUES), fc.string({ unit: "binary", maxLength: 4 })))
  .map(([name, value]) => (bytes) => {
    try {
      const claims = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
      return utf8(JSON.stringify({ ...claims, [name]: value }));
    } catch {
      return bytes;
    }
  });
const jsonEdit: fc.Arbitrary<BytesEdit> = fc
  .tuple(
    n,
    fc.constantFrom(
      " ",
      "\n",
      ",",
      "{",
      "}",
      '"',
      "\\u0000",
      "\\ud800",
      "\\",
      "\ufeff",
      "1",
      "-",
      ".",
      "e",
      "[",
      "\u0001",
    ),
  )
  .map(([i, extra]) => (bytes) => {
    const at = i % (bytes.length + 1);
    return concat(bytes.subarray(0, at), utf8(extra), bytes.subarray(at));
  });
const signer = fc.option(fc.constantFrom(...NAMES), { nil: undefined, freq: 2 });
const claims = onBytes(
  fc.tuple(fc.oneof(claimEdit, claimEdit, jsonEdit), signer).map(
    ([edit, by]) =>
      (bytes) =>
        resign(bytes, edit, by),
  ),
);

/** Replaces `data` and everything in the claims that depends on it, and signs again. */
const payload = onBytes(
  fc
    .tuple(
      fc.oneof(
        jsonEdit,
        n.map(
          (i): BytesEdit =>
            (data) =>
              data.filter((_, at) => at !== i % data.length),
        ),
      ),
    )
    .map(([edit]) => (bytes) => {
      const data = edit(fieldOf(bytes, 3));
      const replaced = within(bytes, 3, () => data);
      return resign(replaced, (text) => redigest(text, data), undefined);
    }),
);

function redigest(text: Uint8Array, data: Uint8Array): Uint8Array {
  try {
    const values = JSON.parse(Buffer.from(text).toString()) as Record<string, unknown>;
    return utf8(JSON.stringify({ ...values, cd: digestOf(data), len: data.length }));
  } catch {
    return text;
  }
}

const swappedBody = fc.tuple(n, n).map(([i, j]): Mutation => (file) => {
  const slots = slotsOf(file);
  const [from, to] = [pick(slots, i), pick(slots, j)];
  const [source, target] = [tryDecodeBase64Url(from?.text ?? ""), tryDecodeBase64Url(to?.text ?? "")];
  if (!source || !target || !to) return file;
  return to.put(encodeBase64Url(within(target, 3, () => fieldOf(source, 3))));
});

/** A cosignature, or the sender's, of another statement. */
const liftedSignature = fc.tuple(n, n, fc.constantFrom(4, 16)).map(([i, j, number]): Mutation => (file) => {
  const stray = tryDecodeBase64Url(pick(STRAYS, i) ?? "");
  const slot = pick(slotsOf(file), j);
  const target = tryDecodeBase64Url(slot?.text ?? "");
  if (!stray || !slot || !target) return file;
  const { k, signature } = { k: fieldOf(fieldOf(stray, number), 4), signature: fieldOf(fieldOf(stray, number), 33) };
  return slot.put(encodeBase64Url(concat(target, bytesField(16, concat(bytesField(4, k), bytesField(33, signature))))));
});

const strayText = onText(n.map((i) => () => pick(STRAYS, i) ?? ""));
const lists = fc
  .tuple(fc.constantFrom<"roots" | "envelopes">("roots", "envelopes"), n, n, fc.nat({ max: 3 }))
  .map(([name, i, j, what]): Mutation => (file) => {
    const list = file[name];
    const at = i % Math.max(list.length, 1);
    const moved = list.filter((_, k) => k !== at);
    const stray = pick([...STRAYS, ...list], j) ?? "";
    const changed = [
      moved,
      moved.toSpliced(j % (list.length + 1), 0, ...list.slice(at, at + 1)),
      [...list, stray],
      [...list, ...list.slice(at, at + 1)],
    ];
    return { ...file, [name]: changed[what] };
  });

const absent = fc.constantFrom<"fresh" | "set" | "recipient" | "state">("fresh", "set", "recipient", "state").map(
  (name): Mutation =>
    (file) =>
      Object.fromEntries(Object.entries(file).filter(([key]) => key !== name)) as unknown as CaseFile,
);

const clock = fc
  .constantFrom(
    0,
    1,
    -1,
    61_000,
    -61_000,
    3_600_000,
    3_659_999,
    3_660_000,
    86_400_000,
    -540_000,
    -660_001,
    -660_000,
    40 * 86_400_000,
  )
  .map((ms): Mutation => (file) => ({ ...file, nowMs: file.nowMs + ms }));

const VERSIONS = ["0", "1", "2", "9", "10", "18446744073709551615"];
const state = fc
  .record(
    {
      ep: fc.nat({ max: 4 }),
      minEp: fc.nat({ max: 4 }),
      rootCd: fc.constant("A".repeat(43)),
      setVer: fc.constantFrom(...VERSIONS),
      setCd: fc.constant("A".repeat(43)),
      freshVer: fc.constantFrom(...VERSIONS),
      freshCd: fc.constant("A".repeat(43)),
      iatMax: fc.constantFrom(0, NOW_SEC, NOW_SEC + 3_659, NOW_SEC + 3_660, NOW_SEC + 40 * 86_400),
    },
    { requiredKeys: [] },
  )
  .map((changes): Mutation => (file) => {
    const known = file.state ?? ("state" in file.expect ? file.expect.state : undefined);
    return known ? { ...file, state: { ...known, ...changes } } : file;
  });

const wanted = fc
  .record(
    {
      rt: fc.constantFrom("x", "security.istio.io/v1/AuthorizationPolicy"),
      name: fc.constantFrom("x", "team-a/allow"),
    },
    { requiredKeys: [] },
  )
  .map((changes): Mutation => (file) => ({ ...file, want: { ...file.want, ...changes } }));

/** Which root is pinned. */
const repinned = n.map((i): Mutation => (file) => {
  const bytes = tryDecodeBase64Url(pick(file.roots, i) ?? "");
  return bytes ? { ...file, pin: { ...file.pin, roots: { [file.ns]: digestOf(fieldOf(bytes, 3)) } } } : file;
});

export const MUTATION: fc.Arbitrary<Mutation> = fc.oneof(
  ...[bitFlip, truncation, insertion, character, messageFields, nestedFields],
  ...[claims, claims, claims, payload, swappedBody, liftedSignature, strayText, lists, absent],
  ...[clock, state, wanted, repinned],
);
