//! RustCrypto's P-256, AES-128-GCM and SHA-256 behind the exports of a rival (see ../../README.md). Pointers are into `SCRATCH`.
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Nonce, Tag};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::{PublicKey, SecretKey};
use sha2::{Digest, Sha256};
use std::cell::{RefCell, UnsafeCell};

const SCRATCH_BYTES: usize = 192 * 1024;

struct Scratch(UnsafeCell<[u8; SCRATCH_BYTES]>);
// There is one thread.
unsafe impl Sync for Scratch {}

static SCRATCH: Scratch = Scratch(UnsafeCell::new([0; SCRATCH_BYTES]));

thread_local! {
    static CIPHER: RefCell<Option<Aes128Gcm>> = const { RefCell::new(None) };
}

#[unsafe(no_mangle)]
pub extern "C" fn buf() -> *mut u8 {
    SCRATCH.0.get().cast()
}

/// # Safety
/// Pointers are of 65, `len` and 64 bytes of the scratch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verify(pk: *const u8, msg: *const u8, len: usize, sig: *const u8) -> i32 {
    let (pk, msg, sig) = unsafe { (bytes(pk, 65), bytes(msg, len), bytes(sig, 64)) };
    let Ok(key) = VerifyingKey::from_sec1_bytes(pk) else { return 0 };
    let Ok(signature) = Signature::from_slice(sig) else { return 0 };
    key.verify(msg, &signature).is_ok().into()
}

/// # Safety
/// Pointers are of 32, 65 and 32 bytes of the scratch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ecdh(sk: *const u8, pk: *const u8, out: *mut u8) -> i32 {
    let (sk, pk) = unsafe { (bytes(sk, 32), bytes(pk, 65)) };
    let Ok(secret) = SecretKey::from_slice(sk) else { return 0 };
    let Ok(public) = PublicKey::from_sec1_bytes(pk) else { return 0 };
    let shared = p256::ecdh::diffie_hellman(secret.to_nonzero_scalar(), public.as_affine());
    unsafe { bytes_mut(out, 32) }.copy_from_slice(shared.raw_secret_bytes());
    1
}

/// # Safety
/// The pointer is of 16 bytes of the scratch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gcm_key(key: *const u8) {
    let cipher = Aes128Gcm::new_from_slice(unsafe { bytes(key, 16) }).ok();
    CIPHER.with(|current| *current.borrow_mut() = cipher);
}

/// # Safety
/// Pointers are of 12, `len` and 16 bytes of the scratch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gcm_dec(nonce: *const u8, text: *mut u8, len: usize, tag: *const u8) -> i32 {
    let (nonce, text, tag) = unsafe { (bytes(nonce, 12), bytes_mut(text, len), bytes(tag, 16)) };
    let (Ok(nonce), Ok(tag)) = (<&Nonce<_>>::try_from(nonce), <&Tag>::try_from(tag)) else { return 0 };
    CIPHER.with(|current| match current.borrow().as_ref() {
        Some(cipher) => cipher.decrypt_inout_detached(nonce, &[], text.into(), tag).is_ok().into(),
        None => 0,
    })
}

/// # Safety
/// Pointers are of `len` and 32 bytes of the scratch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sha(data: *const u8, len: usize, out: *mut u8) {
    let digest = Sha256::digest(unsafe { bytes(data, len) });
    unsafe { bytes_mut(out, 32) }.copy_from_slice(&digest);
}

unsafe fn bytes<'a>(ptr: *const u8, len: usize) -> &'a [u8] {
    unsafe { std::slice::from_raw_parts(ptr, len) }
}

unsafe fn bytes_mut<'a>(ptr: *mut u8, len: usize) -> &'a mut [u8] {
    unsafe { std::slice::from_raw_parts_mut(ptr, len) }
}
