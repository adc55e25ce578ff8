/**
 * Signing, sealing and verifying beside `web-push`, which encrypts the same payload and makes a VAPID token for it: what a
 * sender of push messages pays today. Keys are loaded before the clock starts, on both sides.
 */
import { createECDH, randomBytes } from "node:crypto";
import webPush from "web-push";
import type * as Wpgate from "../../xds-proxy/src/index.ts";
import type { NamespaceInput, SetEntry, StatementOptions } from "../../xds-proxy/src/index.ts";
import { measureInterleaved, ratioOf, rounded } from "./bench.ts";
import type { Bench, BenchResult, Contender, Measured } from "./bench.ts";

/** What is shipped. The sources, run as they are, pay for what the test runner adds to every inner function. */
const SHIPPED = new URL("../../dist/index.js", import.meta.url).href;
const wpgate = (await import(SHIPPED)) as typeof Wpgate;
const { digestOf, encodeBase64Url, ExchangeKey, keyIdOf, signStatement, SigningKey, verifyNamespace } = wpgate;

const WEB_PUSH = "web-push encrypt + VAPID";
const BARE = "bare signatures and hashes";
export const STATEMENT_COUNT = 20;
const ROUNDS = { rounds: 25, roundMs: 150 };
const NOW_SEC = 1_800_000_000;
const PLACE = { ns: "team-a", mesh: "mesh-1", trustDomain: "cluster.local" };
const COMMON = { ...PLACE, sub: "mailto:owner@example.com", iatSec: NOW_SEC, expSec: NOW_SEC + 3_600, ep: 1 };
const RT = "security.istio.io/v1/AuthorizationPolicy";
const SPEC = {
  selector: { matchLabels: { app: "orders" } },
  action: "ALLOW",
  rules: [
    {
      from: [{ source: { principals: ["cluster.local/ns/team-b/sa/checkout", "cluster.local/ns/team-c/sa/billing"] } }],
      to: [{ operation: { methods: ["GET", "POST"], paths: ["/v1/orders/*", "/healthz"] } }],
    },
  ],
};

const keys = { root: SigningKey.generate(), cfg: SigningKey.generate(), fresh: SigningKey.generate() };
const recipient = { key: ExchangeKey.generate(), auth: randomBytes(16) };
const sealedFor = { p256dh: recipient.key.publicKey, auth: recipient.auth };

const nameOf = (i: number): string => `policy-${String(i).padStart(2, "0")}`;

function policy(i: number): StatementOptions {
  const metadata = { name: nameOf(i), namespace: PLACE.ns };
  const data = Buffer.from(
    JSON.stringify({ apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", metadata, spec: SPEC }),
  );
  return { ...COMMON, use: "cfg", rt: RT, name: `${PLACE.ns}/${nameOf(i)}`, ver: "1", data, signers: [keys.cfg] };
}

/** A namespace of policies, all sealed or all plain, as a consumer gets it. */
export async function namespace(sealed: boolean): Promise<NamespaceInput> {
  const envelopes: Uint8Array[] = [];
  const entries: SetEntry[] = [];
  for (let i = 0; i < STATEMENT_COUNT; i++) {
    const options = policy(i);
    const envelope = await signStatement({ ...options, ...(sealed && { recipient: sealedFor }) });
    const rcp = sealed ? { rcp: keyIdOf(sealedFor.p256dh) } : {};
    entries.push({
      rt: RT,
      name: options.name ?? "",
      ver: "1",
      cds: [{ cd: wpgate.inspectEnvelope(envelope).data.cd, ...rcp }],
    });
    envelopes.push(envelope);
  }
  const rootData = wpgate.encodeRoot({
    ...{ ...PLACE, ep: 1, minEp: 1, thresholds: { root: 1, cfg: 1, fresh: 1, push: 1 } },
    keys: (["root", "cfg", "fresh"] as const).map((role) => ({ publicKey: keys[role].publicKey, roles: [role] })),
    ...{ mode: "enforce", default: "deny", paths: "strict", onStale: "keep", maxFreshSec: 86_400 },
  });
  const setData = wpgate.encodeSet({ rcps: sealed ? [keyIdOf(sealedFor.p256dh)] : [], entries });
  const freshData = wpgate.encodeFresh({ set: { ver: "1", cd: digestOf(setData) } });
  const sign = async (options: Pick<StatementOptions, "use" | "data" | "signers" | "ver">): Promise<string> =>
    encodeBase64Url(await signStatement({ ...COMMON, ...options }));
  return {
    pin: { mesh: PLACE.mesh, trustDomain: PLACE.trustDomain, roots: { [PLACE.ns]: digestOf(rootData) } },
    ns: PLACE.ns,
    roots: [await sign({ use: "root", data: rootData, signers: [keys.root] })],
    fresh: await sign({ use: "fresh", ver: "1", data: freshData, signers: [keys.fresh] }),
    set: await sign({ use: "set", ver: "1", data: setData, signers: [keys.cfg] }),
    envelopes: envelopes.map(encodeBase64Url),
    nowMs: NOW_SEC * 1000,
    recipient,
  };
}

/** As many signatures and hashes as a plain namespace has, and nothing else: the floor under verification. */
function bareCrypto(): () => void {
  const key = wpgate.importPublicKey(keys.cfg.publicKey);
  const message = randomBytes(500);
  const signature = keys.cfg.sign(message);
  const data = policy(0).data;
  return () => {
    for (let i = 0; i < STATEMENT_COUNT + 3; i++) {
      key.verify(message, signature);
      digestOf(data);
    }
  };
}

/** Encryption and VAPID token of one message. */
function webPushSend(): () => unknown {
  const vapid = webPush.generateVAPIDKeys();
  const [p256dh, auth] = [encodeBase64Url(sealedFor.p256dh), encodeBase64Url(sealedFor.auth)];
  const payload = Buffer.from(policy(0).data);
  const { publicKey, privateKey } = vapid;
  return () => [
    webPush.encrypt(p256dh, auth, payload, "aes128gcm"),
    webPush.getVapidHeaders("https://push.example.net", COMMON.sub, publicKey, privateKey, "aes128gcm"),
  ];
}

/** Throws when the namespace is refused. */
export function verifying(input: NamespaceInput): () => void {
  return () => {
    const { result } = verifyNamespace(input);
    if (result !== "ok") throw new Error(`refused: ${result}`);
  };
}

async function contenders(): Promise<readonly Contender[]> {
  const one = policy(0);
  const agree = createECDH("prime256v1");
  return [
    { name: WEB_PUSH, operation: webPushSend() },
    { name: "sign", operation: () => signStatement(one) },
    { name: "seal and sign", operation: () => signStatement({ ...one, recipient: sealedFor }) },
    { name: "verify", operation: verifying(await namespace(false)), units: STATEMENT_COUNT },
    { name: "verify and open", operation: verifying(await namespace(true)), units: STATEMENT_COUNT },
    { name: BARE, operation: bareCrypto(), units: STATEMENT_COUNT },
    { name: "bare key pair and ECDH", operation: () => (agree.generateKeys(), agree.computeSecret(sealedFor.p256dh)) },
    { name: "bare signature", operation: () => keys.cfg.sign(one.data) },
  ];
}

async function run(progress: (text: string) => void): Promise<BenchResult> {
  const measured = await measureInterleaved(await contenders(), ROUNDS, progress);
  const of = (name: string): Measured => {
    const rates = measured.get(name);
    if (rates === undefined) throw new Error(`${name} was not measured`);
    return rates;
  };
  const perSec = (name: string): number => rounded(of(name).medianPerSec);
  const ratio = (name: string, to: string): number => rounded(ratioOf(of(name), of(to)));
  return {
    table: [
      ["", "a second", "from", "to", "web-push = 1"],
      ...[...measured].map(([name, rates]) => tableRow(name, rates, of(WEB_PUSH))),
    ],
    ratios: {
      sign_vs_web_push: ratio("sign", WEB_PUSH),
      seal_vs_web_push: ratio("seal and sign", WEB_PUSH),
      verify_vs_web_push: ratio("verify", WEB_PUSH),
      open_vs_web_push: ratio("verify and open", WEB_PUSH),
      verify_vs_bare_crypto: ratio("verify", BARE),
    },
    absolute: {
      payload_bytes: policy(0).data.length,
      statements_per_namespace: STATEMENT_COUNT,
      web_push_per_sec: perSec(WEB_PUSH),
      sign_per_sec: perSec("sign"),
      seal_per_sec: perSec("seal and sign"),
      verify_per_sec: perSec("verify"),
      open_per_sec: perSec("verify and open"),
    },
  };
}

function tableRow(name: string, rates: Measured, reference: Measured): readonly string[] {
  const { medianPerSec, minPerSec, maxPerSec } = rates;
  const numbers = [medianPerSec, minPerSec, maxPerSec].map((value) => rounded(value).toLocaleString("en"));
  return [name, ...numbers, ratioOf(rates, reference).toFixed(2)];
}

export const envelopeBench: Bench = { name: "envelope", run };
