// SPDX-License-Identifier: Apache-2.0

package main

import "golang.org/x/mod/sumdb/tlog"

// Cases is the file that one side writes and the other judges. Bytes are base64 in the JSON.
type Cases struct {
	Logs        []Log         `json:"logs"`
	Checkpoints []Checkpoint  `json:"checkpoints"`
	Inclusions  []Inclusion   `json:"inclusions"`
	Consistency []Consistency `json:"consistency"`
}

// Log is a whole log: what was logged, the files that publish it, and its heads over time.
type Log struct {
	Origin string            `json:"origin"`
	Leaves [][]byte          `json:"leaves"`
	Files  map[string][]byte `json:"files"`
	Heads  []Head            `json:"heads"`
}

// Head is a size of a log and the root that belongs to it.
type Head struct {
	Size int64  `json:"size"`
	Root []byte `json:"root"`
}

// Case says what was changed in a case, if anything, and whether the writer accepts it.
type Case struct {
	Change string `json:"change"`
	Accept bool   `json:"accept"`
}

// Checkpoint is a signed note, with the keys that must all have signed it.
type Checkpoint struct {
	Case
	Log       string   `json:"log"`
	Witnesses []string `json:"witnesses"`
	Note      []byte   `json:"note"`
}

// Inclusion is a proof that a leaf is in a tree.
type Inclusion struct {
	Case
	Index int64    `json:"index"`
	Size  int64    `json:"size"`
	Leaf  []byte   `json:"leaf"`
	Root  []byte   `json:"root"`
	Proof [][]byte `json:"proof"`
}

// Consistency is a proof that one tree extends another.
type Consistency struct {
	Case
	Old     int64    `json:"old"`
	New     int64    `json:"new"`
	OldRoot []byte   `json:"old_root"`
	NewRoot []byte   `json:"new_root"`
	Proof   [][]byte `json:"proof"`
}

// hashOf returns a hash, or false if the bytes are not as long as one.
func hashOf(data []byte) (tlog.Hash, bool) {
	var hash tlog.Hash
	copy(hash[:], data)
	return hash, len(data) == tlog.HashSize
}

// hashesOf returns hashes, or false if one has another length.
func hashesOf(list [][]byte) ([]tlog.Hash, bool) {
	hashes := make([]tlog.Hash, 0, len(list))
	for _, data := range list {
		hash, ok := hashOf(data)
		if !ok {
			return nil, false
		}
		hashes = append(hashes, hash)
	}
	return hashes, true
}
