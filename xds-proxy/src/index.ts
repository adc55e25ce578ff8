/** The public names of wpgate. */
export * from "./errors.ts";
export { CODES } from "./gen/codes.ts";
export type { Code } from "./gen/codes.ts";
export { decodeBase64Url, encodeBase64Url, tryDecodeBase64Url } from "./bytes/base64url.ts";
export { parseStrictJson } from "./bytes/json.ts";
export type { JsonObject, JsonOptions, JsonValue } from "./bytes/json.ts";
export { ExchangeKey } from "./crypto/ecdh-p256.ts";
export { importPublicKey, PublicKey, SigningKey } from "./crypto/ecdsa-p256.ts";
export {
  decodeExchangeKeyPem,
  decodeSigningKeyPem,
  encodeExchangeKeyPem,
  encodeSigningKeyPem,
} from "./crypto/key-files.ts";
export type { ExchangeKeyFile } from "./crypto/key-files.ts";
export { openMessage, sealMessage } from "./crypto/message-encryption.ts";
export type { OpenedMessage, SealOptions } from "./crypto/message-encryption.ts";
export { digestOf, keyIdOf, sha256 } from "./crypto/sha256.ts";
export { DOMAIN } from "./envelope/claims.ts";
export type { Claims } from "./envelope/claims.ts";
export { inspectEnvelope } from "./envelope/inspect.ts";
export type { UntrustedView } from "./envelope/inspect.ts";
export type { NamespaceInput } from "./envelope/namespace.ts";
export { isDnsName, isLabel } from "./envelope/names.ts";
export type { RootsInput } from "./envelope/roots.ts";
export { parseTrustState } from "./envelope/state.ts";
export { verifyNamespace, verifyRoots, verifyStatements } from "./envelope/verify.ts";
export type { StatementsInput } from "./envelope/verify.ts";
export { signStatement } from "./envelope/seal.ts";
export type { Signer, StatementContent, StatementOptions } from "./envelope/seal.ts";
export {
  encodeFresh,
  encodeRoot,
  encodeSet,
  parseConfigObject,
  parseFresh,
  parseRoot,
  parseSet,
} from "./envelope/documents.ts";
export type {
  ConfigObject,
  FreshDocument,
  RootDocument,
  RootKey,
  SetDigest,
  SetDocument,
  SetEntry,
} from "./envelope/documents.ts";
export type {
  EnvelopeInput,
  NamespaceVerdict,
  Payload,
  Pin,
  Recipient,
  RecipientPublic,
  Refusal,
  RootsVerdict,
  StatementsVerdict,
  TrustState,
  Use,
  VerifiedNamespace,
  VerifiedRoots,
  VerifiedStatements,
  Want,
} from "./envelope/types.ts";
export { USES } from "./envelope/types.ts";
export { ROLES } from "./envelope/roles.ts";
export type { Role } from "./envelope/roles.ts";
export { encodeBundle, parseBundle, readConfiguration } from "./owner/bundle.ts";
export type { Bundle, NamespaceBundle, PluginConfiguration } from "./owner/bundle.ts";
export { freshPatch } from "./owner/outer-fresh.ts";
export type { FreshPatch } from "./owner/outer-fresh.ts";
export { readObjects } from "./owner/objects.ts";
export type { OwnerObject, Source } from "./owner/objects.ts";
export { encodePin, mergePins, parsePin } from "./owner/pin.ts";
export type { PinFile } from "./owner/pin.ts";
export { publish, signFresh } from "./owner/publish.ts";
export type { PublishOptions, PublishResult, SignedBundle } from "./owner/publish.ts";
export { readPublished } from "./owner/published.ts";
export type { Published, PublishedObject } from "./owner/published.ts";
export { DEFAULT_SETTINGS, rootKeys, signRoot } from "./owner/root.ts";
export type { RootSettings, SignedRoot, SignRootOptions } from "./owner/root.ts";
export { verifyBundle } from "./owner/verify-bundle.ts";
export type { BundleVerdict, VerifyBundleOptions } from "./owner/verify-bundle.ts";
export { wasmPlugin } from "./owner/wasm-plugin.ts";
export type { WasmPluginOptions } from "./owner/wasm-plugin.ts";
export { pinModule, pinOf } from "./pin/pin-module.ts";
export { explainRequest } from "./policy/evaluate.ts";
export type { PolicyInput } from "./policy/evaluate.ts";
export { octets } from "./policy/octets.ts";
export { parsePolicy } from "./policy/parse.ts";
export type {
  AuthorizationPolicy,
  DecisionReason,
  ParsedPolicy,
  PolicyDecision,
  PolicyExplanation,
  PolicyFault,
  PolicyKnobs,
  PolicyNode,
  PolicyRequest,
  RuleTrace,
} from "./policy/types.ts";
export { formatAuthorization, parseAuthorization, verifyToken } from "./webpush/vapid.ts";
export type { VapidToken } from "./webpush/vapid.ts";
