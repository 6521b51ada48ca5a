// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// The module of Debian knows plain Ed25519 notes only. A cosignature (C2SP tlog-cosignature,
// cosignature/v1) is Ed25519 over a line of version, a line of time and the note's text; the time
// stands in front of the signature as eight bytes.
const (
	cosignatureV1 = 0x04
	lastSecond    = 253402300799
)

type witness struct {
	name   string
	id     uint32
	public ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.id }

// Verify tells whether sig is eight bytes of time and a signature over that time and the text.
func (w witness) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	seconds := binary.BigEndian.Uint64(sig)
	if seconds == 0 || seconds > lastSecond {
		return false
	}
	return ed25519.Verify(w.public, cosigned(seconds, text), sig[8:])
}

// parseWitness reads the key of a witness from the text form of C2SP signed-note.
func parseWitness(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 || parts[0] == "" {
		return nil, fmt.Errorf("not a verifier key: %q", vkey)
	}
	material, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(material) != 1+ed25519.PublicKeySize || material[0] != cosignatureV1 {
		return nil, fmt.Errorf("not a cosignature/v1 key: %q", vkey)
	}
	id, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil || uint32(id) != keyID(parts[0], material) {
		return nil, fmt.Errorf("the key id is not that of name and key: %q", vkey)
	}
	return witness{parts[0], uint32(id), material[1:]}, nil
}

// cosigner is the other half of witness: it signs at one fixed time.
type cosigner struct {
	witness
	private ed25519.PrivateKey
	seconds uint64
}

func (c cosigner) Sign(text []byte) ([]byte, error) {
	sig := make([]byte, 8)
	binary.BigEndian.PutUint64(sig, c.seconds)
	return append(sig, ed25519.Sign(c.private, cosigned(c.seconds, text))...), nil
}

func (c cosigner) vkey() string {
	material := append([]byte{cosignatureV1}, c.public...)
	return fmt.Sprintf("%s+%08x+%s", c.name, c.id, base64.StdEncoding.EncodeToString(material))
}

func newCosigner(name string, seed [32]byte, seconds uint64) cosigner {
	private := ed25519.NewKeyFromSeed(seed[:])
	public := private.Public().(ed25519.PublicKey)
	id := keyID(name, append([]byte{cosignatureV1}, public...))
	return cosigner{witness{name, id, public}, private, seconds}
}

func keyID(name string, material []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), material...))
	return binary.BigEndian.Uint32(sum[:])
}

func cosigned(seconds uint64, text []byte) []byte {
	var message bytes.Buffer
	fmt.Fprintf(&message, "cosignature/v1\ntime %d\n", seconds)
	message.Write(text)
	return message.Bytes()
}
