/** What the checks of docs/envelope.md are given besides pin and state. All of it is public, except the recipient's private
 *  key and auth secret. */
import { View } from "../bytes/view";
import { SignatureBudget } from "./signature-budget";
import { SignatureVerifier } from "./signature";
import { KeyTables } from "./key-tables";
import { keyId } from "./digest";
import { Pin } from "./pin";
import { TrustState } from "./trust-state";
import { Use } from "./use";

/** A service account's key-exchange key. */
@final
export class Recipient {
  /** Key id of `publicKey`, compared with the claim `rcp`. */
  readonly id: View;

  /** `privateKey` 32, `publicKey` 65 and `auth` 16 bytes; that the keys are a pair is for the caller to know. */
  constructor(
    readonly privateKey: View,
    readonly publicKey: View,
    readonly auth: View,
  ) {
    this.id = keyId(publicKey);
  }
}

/** What a consumer asks for; null means any. `sid` and `seq` are asked of a push only. */
@final
export class Want {
  rt: View | null = null;
  name: View | null = null;
  sid: View | null = null;
  seq: View | null = null;

  constructor(readonly use: Use) {}
}

/** The envelopes of one namespace as base64url texts; roots oldest first. */
@final
export class Bundle {
  roots: View[] = [];
  fresh: View | null = null;
  set: View | null = null;
  envelopes: View[] = [];
}

@final
export class VerifyOptions {
  state: TrustState | null = null;
  recipient: Recipient | null = null;
  /** Kept for the keys of accepted roots; null when the verifier needs none. */
  tables: KeyTables | null = null;
  readonly signatures: SignatureBudget = new SignatureBudget();
  /** Go on after a fault that depends on the clock or the state, and report the first such fault by itself. */
  deferTime: bool = false;

  constructor(
    readonly pin: Pin,
    readonly want: Want,
    readonly nowMs: i64,
    readonly verifier: SignatureVerifier,
  ) {}
}
