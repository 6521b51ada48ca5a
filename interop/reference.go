// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// reference makes logs with the reference code alone: hashes, tiles, roots, proofs and notes.
// They are the same at each run.
func reference() (Cases, error) {
	var cases Cases
	random := rand.New(rand.NewSource(1))
	for number, size := range []int64{1, 2, 3, 7, 8, 70, 255, 256, 257, 1000, 5000} {
		if err := addLog(&cases, random, number, size); err != nil {
			return cases, err
		}
	}
	return cases, nil
}

func addLog(cases *Cases, random *rand.Rand, number int, size int64) error {
	log := Log{Origin: fmt.Sprintf("go%d.example/log", number), Files: map[string][]byte{}}
	for i := int64(0); i < size; i++ {
		leaf := make([]byte, random.Intn(60))
		random.Read(leaf)
		log.Leaves = append(log.Leaves, leaf)
	}
	stored, err := storedHashes(log.Leaves)
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(size, stored)
	if err != nil {
		return err
	}
	log.Heads = []Head{{size, clone(root)}}
	for _, tile := range tilesOf(size) {
		if log.Files[filePath(tile)], err = tlog.ReadTileData(tile, stored); err != nil {
			return err
		}
	}
	cases.Logs = append(cases.Logs, log)
	if err := addProofs(cases, random, log, stored, root); err != nil {
		return err
	}
	return addCheckpoint(cases, log.Origin, size, root)
}

func addProofs(cases *Cases, random *rand.Rand, log Log, stored hashStore, root tlog.Hash) error {
	size := log.Heads[0].Size
	for i := 0; i < 50; i++ {
		index := random.Int63n(size)
		proof, err := tlog.ProveRecord(size, index, stored)
		if err != nil {
			return err
		}
		leaf := tlog.RecordHash(log.Leaves[index])
		cases.Inclusions = append(cases.Inclusions, Inclusion{
			Case: Case{Accept: true}, Index: index, Size: size,
			Leaf: leaf[:], Root: clone(root), Proof: bytesOf(proof),
		})
		old := 1 + random.Int63n(size)
		oldRoot, err := tlog.TreeHash(old, stored)
		if err != nil {
			return err
		}
		growth, err := tlog.ProveTree(size, old, stored)
		if err != nil {
			return err
		}
		cases.Consistency = append(cases.Consistency, Consistency{
			Case: Case{Accept: true}, Old: old, New: size,
			OldRoot: clone(oldRoot), NewRoot: clone(root), Proof: bytesOf(growth),
		})
	}
	return nil
}

func addCheckpoint(cases *Cases, origin string, size int64, root tlog.Hash) error {
	seed := sha256.Sum256([]byte(origin))
	private, public, err := note.GenerateKey(bytes.NewReader(seed[:]), origin)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, size, base64.StdEncoding.EncodeToString(root[:]))
	c := Checkpoint{Case: Case{Accept: true}, Log: public}
	signers := []note.Signer{signer}
	for i := 0; i < 3; i++ {
		name := fmt.Sprintf("go%d.example/witness", i)
		cosigner := newCosigner(name, sha256.Sum256([]byte(name)), uint64(1772366400+i))
		signers = append(signers, cosigner)
		c.Witnesses = append(c.Witnesses, cosigner.vkey())
	}
	if c.Note, err = note.Sign(&note.Note{Text: text}, signers...); err != nil {
		return err
	}
	cases.Checkpoints = append(cases.Checkpoints, c)
	return nil
}

func clone(hash tlog.Hash) []byte { return append([]byte(nil), hash[:]...) }

func bytesOf(hashes []tlog.Hash) [][]byte {
	list := make([][]byte, 0, len(hashes))
	for _, hash := range hashes {
		list = append(list, clone(hash))
	}
	return list
}
