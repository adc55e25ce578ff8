//go:build wasip1

// Go's crypto/* behind the exports of a rival (see ../README.md). Pointers are into scratch.
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"math/big"
	"unsafe"
)

var scratch [192 * 1024]byte

var aead cipher.AEAD

func main() {}

//go:wasmexport buf
func buf() unsafe.Pointer { return unsafe.Pointer(&scratch) }

//go:wasmexport verify
func verify(pk, msg unsafe.Pointer, length int32, sig unsafe.Pointer) int32 {
	point := bytes(pk, 65)
	if point[0] != 4 {
		return 0
	}
	number := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
	// Verify refuses a point that is not on the curve.
	key := ecdsa.PublicKey{Curve: elliptic.P256(), X: number(point[1:33]), Y: number(point[33:])}
	digest := sha256.Sum256(bytes(msg, length))
	rs := bytes(sig, 64)
	return status(ecdsa.Verify(&key, digest[:], number(rs[:32]), number(rs[32:])))
}

//go:wasmexport ecdh
func agree(sk, pk, out unsafe.Pointer) int32 {
	private, err := ecdh.P256().NewPrivateKey(bytes(sk, 32))
	if err != nil {
		return 0
	}
	public, err := ecdh.P256().NewPublicKey(bytes(pk, 65))
	if err != nil {
		return 0
	}
	shared, err := private.ECDH(public)
	copy(bytes(out, 32), shared)
	return status(err == nil)
}

//go:wasmexport gcm_key
func gcmKey(key unsafe.Pointer) {
	block, err := aes.NewCipher(bytes(key, 16))
	if err != nil {
		panic(err)
	}
	if aead, err = cipher.NewGCM(block); err != nil {
		panic(err)
	}
}

// The tag lies behind the text, where Go wants it.
//
//go:wasmexport gcm_dec
func gcmDec(nonce, text unsafe.Pointer, length int32, _ unsafe.Pointer) int32 {
	sealed := bytes(text, length+16)
	_, err := aead.Open(sealed[:0], bytes(nonce, 12), sealed, nil)
	return status(err == nil)
}

//go:wasmexport sha
func sha(data unsafe.Pointer, length int32, out unsafe.Pointer) {
	digest := sha256.Sum256(bytes(data, length))
	copy(bytes(out, 32), digest[:])
}

func bytes(p unsafe.Pointer, length int32) []byte { return unsafe.Slice((*byte)(p), length) }

func status(good bool) int32 {
	if good {
		return 1
	}
	return 0
}
