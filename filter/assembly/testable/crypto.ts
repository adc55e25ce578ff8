export { sha256, sha256Final, sha256Init, sha256Update } from "../crypto/sha256";
export { hmacSha256 } from "../crypto/hmac";
export { hkdfSha256 } from "../crypto/hkdf";
export { aes128GcmOpen } from "../crypto/aes-gcm";
export { verifyDer, verifyP1363, verifyP1363WithTable } from "../crypto/ecdsa";
export { derFromP1363, p1363FromDer } from "../crypto/ecdsa-der";
export { derivePublicKey, ecdh } from "../crypto/ecdh";
export { isValidPublicKey } from "../crypto/p256-point";
export {
  fieldAdd,
  fieldCombine,
  fieldFromBytes,
  fieldInv,
  fieldIsZeroVartime,
  fieldMul,
  fieldSqr,
  fieldSub,
  fieldToBytes,
} from "../crypto/p256-field";
export { scalarFromBytes, scalarFromDigest, scalarMul } from "../crypto/p256-scalar";
export { scalarInvertVartime } from "../crypto/p256-scalar-inverse";
export { doubleMultiply } from "../crypto/p256-double-multiply";
export {
  pairAdd,
  pairCombine,
  pairInterleave,
  pairMul,
  pairSplit,
  pairSqr,
  pairSub,
  pairTighten,
} from "../crypto/p256-pair-field";
export { KEY_TABLE_BYTES, fillKeyTable } from "../crypto/p256-key-table";
export { tableSum } from "../crypto/p256-table-sum";
export { pairMulSub, pairSqrSub } from "../crypto/p256-pair-fused";
